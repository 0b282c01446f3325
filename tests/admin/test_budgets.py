"""Administrators limit what may be used; members do not even learn that there are such pages."""

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import select

from app.accounts.audit import COMMAND_LINE, Act
from app.accounts.models import AuditEvent
from app.core.clock import now
from app.core.database import Database
from app.usage import budgets, reservations
from app.usage.budgets import Limit
from app.usage.ledger import Entry
from app.usage.models import Budget, BudgetScope, Outcome, Period, Unit
from app.usage.reservations import Hold, Settled
from tests.cast import Cast, Visitor

HOME = "/admin/budgets"


async def post(cast: Cast, **fields: str) -> Response:
    return await cast.alice.client.post(HOME, data={"scope": "workspace", "unit": "usd"} | fields)


async def only_budget(database: Database) -> Budget:
    async with database.reading() as session:
        return (await session.scalars(select(Budget))).one()


async def spend(database: Database, user_id: str, micros: int) -> None:
    entry = Entry(
        now(), user_id, "echo", "echo", "api", 10, 5, False, Outcome.FINISHED, 10, cost_micros=micros
    )
    async with database.writing() as session:
        await reservations.settle(session, [Settled(entry, Hold(entry.id))])


async def test_a_budget_is_set_shown_changed_and_removed(cast: Cast, database: Database) -> None:
    alice = cast.alice.client
    created = await post(cast, scope="user", name="bob", limit="$50", period="month")
    assert created.status_code == 303, created.text
    await spend(database, cast.bob.id, 41_500_000)

    listed = (await alice.get(f"{HOME}?done=created")).text
    assert "Bob Archer" in listed
    assert "$50.00 a month" in listed
    assert "$41.50" in listed
    assert "83 %" in listed
    assert "nearly spent" in listed

    address = f"{HOME}/{(await only_budget(database)).id}"
    assert 'value="50"' in (await alice.get(address)).text
    await alice.post(address, data={"limit": "30.5", "warn_percent": "90 %", "kind": "soft"})
    budget = await only_budget(database)
    assert (budget.amount, budget.warn_percent, budget.is_hard) == (30_500_000, 90, False)
    assert "Some budgets are spent" in (await alice.get(HOME)).text

    assert (await alice.post(f"{address}/removal")).status_code == 303
    assert "There are no budgets" in (await alice.get(HOME)).text
    async with database.reading() as session:
        noted = await session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.startswith("budget.")).order_by(AuditEvent.id)
        )
        assert list(noted) == ["budget.created", "budget.changed", "budget.removed"]


async def test_a_hard_limit_that_was_exceeded_says_so(cast: Cast, database: Database) -> None:
    await post(cast, limit="50", kind="hard")
    await spend(database, cast.bob.id, 50_000_000)
    assert "More was used than a hard limit" not in (await cast.alice.client.get(HOME)).text

    await spend(database, cast.bob.id, 1)

    page = (await cast.alice.client.get(HOME)).text
    assert "More was used than a hard limit" in page
    assert "Exceeded" in page


async def test_a_limit_for_each_shows_who_used_the_most(cast: Cast, database: Database) -> None:
    await post(cast, scope="user", name="*", limit="10")
    await post(cast, scope="user", name="*", limit="3", unit="replies")
    await post(cast, scope="key", name="*", limit="60", unit="requests", period="minute")

    page = (await cast.alice.client.get(HOME)).text

    for words in (
        "Each person",
        "$10.00 a month",
        "3 replies at once",
        "60 requests a minute",
        "Rate limits",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"limit": "50", "scope": "group", "name": "Nobody"}, "no group called"),
        (
            {"limit": "50", "scope": "user", "name": ""},
            "Say for which user it is by its name, or * for each one.",
        ),
        ({"limit": "50", "scope": "user", "name": "nobody"}, "Administration → Users lists everybody."),
        (
            {"limit": "50", "scope": "model", "name": "echo/none"},
            "Administration → Models lists all of them.",
        ),
        ({"limit": "plenty"}, "as a number"),
        ({"limit": "NaN"}, "A limit is between"),
        ({"limit": "50", "unit": "euros"}, "What is limited is"),
        ({"limit": "50", "period": "fortnight"}, "A limit holds for"),
        ({"limit": "50", "warn_percent": "all"}, "from 1 to 100"),
        ({"limit": "50", "warn_percent": "101"}, "between 1 and 100"),
        ({"limit": "50", "period": "minute"}, "requests or tokens"),
    ],
)
async def test_what_does_not_fit_comes_back_with_what_to_do(
    cast: Cast, database: Database, fields: dict[str, str], words: str
) -> None:
    answer = await post(cast, **fields)

    assert answer.status_code in (404, 422)
    assert words in answer.text
    assert f'value="{fields["limit"]}"' in answer.text, "what was typed is not lost"
    async with database.reading() as session:
        assert (await session.scalars(select(Budget))).all() == []


async def test_the_same_limit_is_not_set_twice(cast: Cast) -> None:
    await post(cast, limit="50")

    again = await post(cast, limit="60")

    assert again.status_code == 409
    assert "There is one of this kind already" in again.text


async def test_members_learn_nothing(client: Visitor, cast: Cast, app: FastAPI, database: Database) -> None:
    async with database.writing() as session:
        everybody = (BudgetScope.WORKSPACE, "")
        budget = await budgets.create(session, everybody, Unit.USD, Period.MONTH, Limit(1), Act(COMMAND_LINE))
    address = f"{HOME}/{budget.id}"

    for method, path in (
        ("GET", HOME),
        ("POST", HOME),
        ("GET", address),
        ("POST", address),
        ("POST", f"{address}/removal"),
    ):
        answer = await client.as_(cast.bob).request(method, path, data={"limit": "99"})
        assert answer.status_code == 404, (method, path)
        assert "$0" not in answer.text
    assert (await only_budget(database)).amount == 1
    assert (await cast.alice.client.get(f"{HOME}/nonsense")).status_code == 404


async def test_the_workspace_says_when_its_days_begin(cast: Cast) -> None:
    alice = cast.alice.client
    assert (
        await alice.post("/admin/settings", data={"name": "N", "timezone": "Pacific/Auckland"})
    ).status_code == 303
    await post(cast, limit="50", period="day")

    page = (await alice.get("/admin/settings")).text
    assert '<option value="Pacific/Auckland" selected>' in page
    refused = await alice.post("/admin/settings", data={"name": "N", "timezone": "Mars/Olympus"})
    assert refused.status_code == 422
    assert "Choose a time zone" in refused.text
