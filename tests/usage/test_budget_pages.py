"""One sees what limits one, and may choose a cap of one's own."""

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.audit import COMMAND_LINE, Act
from app.core.clock import now
from app.core.database import Database
from app.usage import budgets, reservations
from app.usage.budgets import Limit
from app.usage.ledger import Entry
from app.usage.models import Budget, BudgetScope, Outcome, Period, Unit
from app.usage.reservations import Hold, Settled
from tests.cast import Cast

HOME = "/usage/budget"


async def spend(database: Database, user_id: str, micros: int) -> None:
    entry = Entry(
        now(), user_id, "echo", "echo", "api", 10, 5, False, Outcome.FINISHED, 10, cost_micros=micros
    )
    async with database.writing() as session:
        await reservations.settle(session, [Settled(entry, Hold(entry.id))])


async def test_a_cap_of_ones_own_is_set_changed_and_removed(cast: Cast, database: Database) -> None:
    bob = cast.bob.client
    assert (await bob.post(HOME, data={"limit": "10"})).status_code == 303
    await spend(database, cast.bob.id, 8_500_000)

    page = (await bob.get(HOME)).text
    assert "Your own cap" in page
    assert "$10.00 a month" in page
    assert "85 %" in page
    assert 'value="10"' in page

    await bob.post(HOME, data={"limit": "12.5"})
    async with database.reading() as session:
        cap = (await session.scalars(select(Budget))).one()
    assert (cap.amount, cap.is_own, cap.subject) == (12_500_000, True, cast.bob.id)
    await bob.post(f"{HOME}/removal")
    assert "Nothing limits you in particular" in (await bob.get(HOME)).text
    assert (await bob.post(f"{HOME}/removal")).status_code == 303, "twice does no harm"


async def test_it_is_nobody_elses(cast: Cast) -> None:
    await cast.bob.client.post(HOME, data={"limit": "10"})
    await cast.charlie.client.post(f"{HOME}/removal")

    assert "$10.00" in (await cast.bob.client.get(HOME)).text
    assert "$10.00" not in (await cast.charlie.client.get(HOME)).text
    assert "own cap" in (await cast.alice.client.get("/admin/budgets")).text


@pytest.mark.parametrize("limit", ["", "much", "-1", "1e99", "\x00"])
async def test_nonsense_comes_back_with_a_sentence(cast: Cast, limit: str) -> None:
    answer = await cast.bob.client.post(HOME, data={"limit": limit})

    assert answer.status_code == 422
    assert "limit" in answer.text


async def test_what_others_used_stays_theirs(app: FastAPI, cast: Cast, database: Database) -> None:
    async with database.writing() as session:
        for subject in ((BudgetScope.WORKSPACE, ""), (BudgetScope.USER, "*")):
            limit = Limit(77_000_000)
            await budgets.create(session, subject, Unit.USD, Period.MONTH, limit, Act(COMMAND_LINE))
    await spend(database, cast.alice.id, 33_000_000)

    page = (await cast.bob.client.get(HOME)).text

    assert "$77.00 a month" in page
    assert "$33.00" not in page


async def test_a_cap_is_typed_and_shown_in_the_currency_of_the_workspace(
    cast: Cast, database: Database
) -> None:
    euro = {"code": "EUR", "rate": "0.92", "on": "2026-11-20"}
    assert (await cast.alice.client.post("/admin/prices/currency", data=euro)).status_code == 303

    assert (await cast.bob.client.post(HOME, data={"limit": "46"})).status_code == 303
    await spend(database, cast.bob.id, 45_000_000)

    async with database.reading() as session:
        assert (await session.scalars(select(Budget))).one().amount == 50_000_000, "counted in dollars"
    page = (await cast.bob.client.get(HOME)).text
    for words in ("€46.00 a month", "€41.40", "€4.60 left", 'value="46"', "In EUR.", "1 USD = 0.92 EUR"):
        assert words in page
    assert "€41.40" in (await cast.bob.client.get("/usage")).text
    assert "€46.00 a month" in (await cast.alice.client.get("/admin/budgets")).text
    assert "$" not in page
