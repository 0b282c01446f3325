"""Writers of one process take turns; nobody is told that the database is locked."""

import asyncio

import pytest
from sqlalchemy import text

from app.core import database as core
from app.core.database import Database
from app.core.errors import Unavailable


async def _note(database: Database, number: int, order: list[int]) -> None:
    async with database.writing() as session:
        await session.execute(text("UPDATE workspace SET name = name"))
        await asyncio.sleep(0.01)
        order.append(number)


async def test_many_writers_at_once_all_get_their_turn(database: Database) -> None:
    order: list[int] = []

    await asyncio.gather(*(_note(database, number, order) for number in range(15)))

    assert sorted(order) == list(range(15))


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    async with database.writing() as writer:
        await writer.execute(text("UPDATE workspace SET name = name"))
        async with asyncio.timeout(60), database.reading() as reader:
            await reader.execute(text("SELECT name FROM workspace"))


async def test_a_writer_that_fails_or_is_cancelled_gives_its_turn_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail(database)
    cancelled = asyncio.create_task(_hold(database))
    waiting = asyncio.create_task(_hold(database))
    await asyncio.sleep(0.05)
    waiting.cancel()
    cancelled.cancel()
    await asyncio.gather(cancelled, waiting, return_exceptions=True)

    async with asyncio.timeout(60):
        await _note(database, 1, [])


async def test_who_waits_too_long_is_told_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "SECONDS_TO_WAIT_FOR_A_TURN", 0.1)
    async with database.writing() as first:
        await first.execute(text("UPDATE workspace SET name = name"))

        with pytest.raises(Unavailable, match="busy"):
            await _note(database, 2, [])


async def _hold(database: Database) -> None:
    async with database.writing() as session:
        await session.execute(text("UPDATE workspace SET name = name"))
        await asyncio.sleep(60)


async def _fail(database: Database) -> None:
    async with database.writing() as session:
        await session.execute(text("UPDATE workspace SET name = name"))
        raise ZeroDivisionError
