"""What calls used is written down even when the database is away for a while, and when the server stops."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.core.database import Database
from app.core.errors import Unavailable
from app.core.settings import Settings
from app.gateway import settling
from app.gateway.calls import Gateway
from app.gateway.settling import Settlement, Settler
from app.main import create_app
from app.usage.ledger import Entry
from app.usage.models import LedgerEntry, Outcome
from app.usage.purses import Book
from app.usage.reservations import Hold
from tests.waiting import until


def settlement(at: datetime | None = None) -> Settlement:
    entry = Entry(at or now(), "alice", "echo", "echo", "api", 1, 2, False, Outcome.FINISHED, 10)
    return Settlement(entry, None, Hold(entry.id), Book())


async def count(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(LedgerEntry)) or 0


async def test_a_running_server_writes_by_itself(app: FastAPI, database: Database) -> None:
    gateway: Gateway = app.state.gateway
    gateway._settler.hand_in(settlement())

    assert await until(lambda: count(database)) == 1


async def test_what_waits_is_written_when_the_server_stops(settings: Settings) -> None:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        gateway: Gateway = application.state.gateway
        for _ in range(3):
            gateway._settler.hand_in(settlement())

    database = Database(settings.resolved_database_url)
    assert await count(database) == 3
    await database.close()


async def test_nothing_is_lost_when_a_write_fails(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settler = Settler(database)
    settler.hand_in(settlement())

    async def refuse(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("database is locked"))

    with monkeypatch.context() as trouble:
        trouble.setattr(settling.reservations, "settle", refuse)
        with pytest.raises(OperationalError):
            await settler.flush()
    assert await count(database) == 0

    await settler.flush()
    await settler.flush()
    assert await count(database) == 1


async def test_nothing_is_lost_when_the_turn_to_write_does_not_come(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settler = Settler(database)
    settler.hand_in(settlement())

    async def refuse(*_: object) -> None:
        raise Unavailable("The database is busy. Try again in a moment.")

    with monkeypatch.context() as trouble:
        trouble.setattr(settling, "enter", refuse)
        with pytest.raises(Unavailable):
            await settler.flush()

    await settler.flush()
    assert await count(database) == 1


async def test_nothing_is_lost_when_whoever_waits_for_it_leaves(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settler = Settler(database)
    settler.hand_in(settlement())
    enter, has_begun = settling.enter, asyncio.Event()

    async def enter_slowly(session: AsyncSession, batch: Sequence[Settlement]) -> list[Entry]:
        has_begun.set()
        await asyncio.sleep(0.05)
        return await enter(session, batch)

    monkeypatch.setattr(settling, "enter", enter_slowly)
    waiting = asyncio.create_task(settler.flush())
    await has_begun.wait()
    waiting.cancel()
    await asyncio.wait((waiting,))
    assert waiting.cancelled()

    await settler.flush()
    assert await count(database) == 1


async def test_what_was_entered_before_is_not_entered_again(database: Database) -> None:
    settler = Settler(database)
    known, other = settlement(), settlement()
    settler.hand_in(known)
    await settler.flush()

    settler.hand_in(known)
    settler.hand_in(other)
    with pytest.raises(IntegrityError):
        await settler.flush()
    await settler.flush()

    assert await count(database) == 2


async def test_what_waits_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "MOST_WAITING", 5)
    settler = Settler(database)
    for _ in range(8):
        settler.hand_in(settlement())

    await settler.flush()

    assert await count(database) == 5
