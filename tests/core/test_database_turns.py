"""Writers of one process take turns; nobody is told that the database is locked."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.core import database as core
from app.core.database import Database
from app.core.errors import Unavailable
from app.core.sqlite_driver import MOST_ROWS_AT_ONCE

ADD_NOTE = text("INSERT INTO notes (id) VALUES (:id)")
HOW = pytest.mark.parametrize("brief", [False, True], ids=["at length", "briefly"])


async def _note(database: Database, number: int, order: list[int], *, brief: bool = False) -> None:
    async with database.writing(brief=brief) as session:
        await session.execute(text("UPDATE workspace SET name = name"))
        await asyncio.sleep(0.01)
        order.append(number)


async def test_many_writers_at_once_all_get_their_turn(database: Database) -> None:
    order: list[int] = []

    await asyncio.gather(*(_note(database, number, order, brief=number % 2 == 0) for number in range(15)))

    assert sorted(order) == list(range(15))


@HOW
async def test_readers_do_not_wait_for_a_writer(database: Database, *, brief: bool) -> None:
    async with database.writing(brief=brief) as writer:
        await writer.execute(text("UPDATE workspace SET name = name"))
        async with asyncio.timeout(60), database.reading() as reader:
            await reader.execute(text("SELECT name FROM workspace"))


@HOW
async def test_a_writer_that_fails_or_is_cancelled_gives_its_turn_back(
    database: Database, *, brief: bool
) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail(database, brief=brief)
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


@HOW
async def test_what_is_written_is_there_for_others_or_not_at_all(database: Database, *, brief: bool) -> None:
    many = [{"id": number} for number in range(3 * MOST_ROWS_AT_ONCE)]
    async with database.writing() as session:
        await session.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))

    with pytest.raises(IntegrityError):
        await _add_twice(database, many, brief=brief)
    none = await _count(database, brief=brief)
    async with database.writing(brief=brief) as session:
        await session.execute(ADD_NOTE, many)
        await session.execute(text("DELETE FROM notes WHERE id = 0"))
        unseen = await _count(database, brief=brief)

    assert (none, unseen, await _count(database, brief=brief)) == (0, 0, len(many) - 1)


async def _add_twice(database: Database, notes: list[dict[str, int]], *, brief: bool) -> None:
    async with database.writing(brief=brief) as session:
        await session.execute(ADD_NOTE, notes[:1])
        await session.execute(ADD_NOTE, notes)


async def _count(database: Database, *, brief: bool) -> int:
    async with database.reading(brief=brief) as session:
        return int(await session.scalar(text("SELECT count(*) FROM notes")) or 0)


async def _hold(database: Database) -> None:
    async with database.writing() as session:
        await session.execute(text("UPDATE workspace SET name = name"))
        await asyncio.sleep(60)


async def _fail(database: Database, *, brief: bool = False) -> None:
    async with database.writing(brief=brief) as session:
        await session.execute(text("UPDATE workspace SET name = name"))
        raise ZeroDivisionError
