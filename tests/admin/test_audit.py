"""/admin/audit: what was done can be read and filtered, and not changed."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.accounts import audit
from app.accounts.models import AuditEvent
from app.core.clock import now
from app.core.database import Database
from tests.cast import PASSWORD, Cast, Visitor


@pytest.fixture
async def history(cast: Cast, client: Visitor) -> None:
    """Alice disables and enables Bob, who then fails to log in once and succeeds."""
    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/disable")
    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/enable")
    await client.post("/login", data={"login": "bob", "password": "wrong"})
    await client.post("/login", data={"login": "bob", "password": PASSWORD})


@pytest.mark.usefixtures("history")
async def test_it_tells_who_did_what_from_where(cast: Cast) -> None:
    page = (await cast.alice.client.get("/admin/audit")).text

    lines = (
        'title="session.created">Logged in',
        'title="session.refused">Failed to log in',
        'title="user.enabled">Enabled an account',
    )
    told = [page.index(line) for line in lines]
    assert told == sorted(told), "newest first"
    assert "127.0.0.1" in page
    assert "Not logged in" in page, "who failed to log in is not known"


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("who=ali", '<span title="user.disabled"', '<span title="session.created"'),
        ("action=session.refused", '<span title="session.refused"', '<span title="user.enabled"'),
        ("who=nobody-like-this", "Nothing fits", "<span title="),
        ("who=%25", "Nothing fits", "<span title="),
        ("period=day", '<span title="user.disabled"', "Nothing fits"),
    ],
)
async def test_it_can_be_filtered(cast: Cast, query: str, shown: str, hidden: str) -> None:
    page = (await cast.alice.client.get(f"/admin/audit?{query}")).text

    assert shown in page
    assert hidden not in page


@pytest.mark.usefixtures("history")
async def test_a_period_leaves_out_what_is_older(cast: Cast, database: Database) -> None:
    async with database.writing() as session:
        await session.execute(update(AuditEvent).values(at=now() - timedelta(days=8)))

    assert "Nothing fits" in (await cast.alice.client.get("/admin/audit?period=week")).text
    assert "Nothing fits" not in (await cast.alice.client.get("/admin/audit?period=month")).text


async def test_it_has_pages_that_neither_repeat_nor_skip(cast: Cast, database: Database) -> None:
    async with database.writing() as session:
        for number in range(120):
            audit.record(
                session, audit.Act(audit.COMMAND_LINE), "test.counted", subject=f"number {number:03}"
            )

    seen: list[str] = []
    before: str | None = None
    async with database.reading() as session:
        while True:
            found = await audit.events(session, audit.Filter(), before=before, limit=50)
            seen += [event.subject for event in found.events]
            if found.next_before is None:
                break
            before = found.next_before

    assert seen == [f"number {number:03}" for number in reversed(range(120))]
    page = (await cast.alice.client.get("/admin/audit")).text
    assert "number 119" in page
    assert "number 069" not in page
    assert "/admin/audit?before=" in page


@pytest.mark.parametrize("person", ["bob", "nobody"])
async def test_it_is_for_administrators(client: Visitor, cast: Cast, person: str) -> None:
    browser = cast.bob.client if person == "bob" else client

    response = await browser.get("/admin/audit")

    assert response.status_code == (404 if person == "bob" else 303)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_there_is_no_door_to_change_it(cast: Cast, method: str) -> None:
    assert (await cast.alice.client.request(method, "/admin/audit")).status_code in (404, 405)
