"""What calls used is written down even when the database is away for a while, and when the server stops."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.doorkeeper import Doorkeeper
from app.chats.recording import Recorder
from app.core.clock import now
from app.core.database import Database
from app.core.errors import Unavailable
from app.core.settings import Settings
from app.gateway import settling
from app.gateway.calls import Gateway
from app.gateway.settling import Settlement, Settler
from app.main import create_app
from app.usage import open_calls
from app.usage.ledger import Entry
from app.usage.models import LedgerEntry, Outcome
from app.usage.open_calls import Note
from app.usage.purses import Book
from app.usage.reservations import Hold
from tests.waiting import SECONDS_TO_WAIT, until


def settlement(at: datetime | None = None) -> Settlement:
    entry = Entry(at or now(), "alice", "echo", "echo", "api", 1, 2, False, Outcome.FINISHED, 10)
    return Settlement(entry, None, Hold(entry.id), Book())


async def has(database: Database, lines: int) -> bool:
    return await count(database) == lines


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


async def test_what_waits_is_written_though_something_else_cannot_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cannot_end(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(Recorder, "drain", cannot_end)
    monkeypatch.setattr(Doorkeeper, "note_uses", cannot_end)
    application = create_app(settings)
    with pytest.raises(RuntimeError):
        async with application.router.lifespan_context(application):
            application.state.gateway._settler.hand_in(settlement())

    database = Database(settings.resolved_database_url)
    assert await count(database) == 1
    await database.close()


async def test_a_correction_is_entered_once_though_nobody_heard_that_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took the call for dead, when it had said one word of two."""
    settler, whole = Settler(database), settlement()
    async with database.writing() as session:
        await open_calls.note(session, [Note(replace(whole.entry, output_tokens=1), whole.hold)])
        await open_calls.enter_abandoned(session)
    settler.hand_in(replace(whole, was_noted=True))
    write = settler._write

    async def lose_the_answer(batch: list[Settlement]) -> None:
        await write(batch)
        raise OperationalError("commit", {}, Exception("the connection was lost"))

    with monkeypatch.context() as trouble:
        trouble.setattr(settler, "_write", lose_the_answer)
        with pytest.raises(OperationalError):
            await settler.flush()
    await settler.flush()

    async with database.reading() as session:
        lines = (await session.scalars(select(LedgerEntry))).all()
    assert sorted(line.output_tokens for line in lines) == [1, 1]


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
    await settler.flush()

    assert await count(database) == 2


async def test_what_the_database_refuses_keeps_no_others_from_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settler = Settler(database)
    good, bad = [settlement() for _ in range(3)], settlement()
    enter = settling.enter

    async def refuse_one(session: AsyncSession, batch: Sequence[Settlement]) -> list[Entry]:
        if bad in batch:
            raise DataError("insert", {}, Exception("integer out of range"))
        return await enter(session, batch)

    monkeypatch.setattr(settling, "enter", refuse_one)
    for one in (good[0], bad, *good[1:]):
        settler.hand_in(one)
    await settler.flush()
    assert await count(database) == 3

    # It is tried again, among others, and given up at last.
    for _ in range(settling.MOST_TRIES):
        settler.hand_in(settlement())
        await settler.flush()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "settlement_refused"
    ]
    settler.hand_in(settlement())
    await settler.flush()
    assert await count(database) == 4 + settling.MOST_TRIES


async def test_the_ledger_is_written_on_whatever_happens(
    app: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway: Gateway = app.state.gateway
    enter, has_failed = settling.enter, asyncio.Event()

    async def fail_once(session: AsyncSession, batch: Sequence[Settlement]) -> list[Entry]:
        if not has_failed.is_set():
            has_failed.set()
            raise RuntimeError("nobody foresaw this")
        return await enter(session, batch)

    monkeypatch.setattr(settling, "enter", fail_once)
    gateway._settler.hand_in(settlement())
    await asyncio.wait_for(has_failed.wait(), SECONDS_TO_WAIT)
    gateway._settler.hand_in(settlement())

    assert await until(lambda: has(database, 2))


async def test_what_waits_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "MOST_WAITING", 5)
    settler = Settler(database)
    for _ in range(8):
        settler.hand_in(settlement())

    await settler.flush()

    assert await count(database) == 5
