"""What is kept in memory is read again as soon as anybody changed it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Group, SignInAttempts
from app.core.changes import SECONDS_BETWEEN_LOOKS, UNWATCHED, Kept
from app.core.clock import now
from app.core.database import Database
from app.schema import metadata

Change = Callable[[AsyncSession], Awaitable[object]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/parley.db")
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
async def neighbour(database: Database) -> AsyncIterator[Database]:
    """Another process at the same file, such as the command line."""
    neighbour = Database(database.url.render_as_string())
    yield neighbour
    await neighbour.close()


async def names(database: Database) -> list[str]:
    async with database.reading() as session:
        return list(await session.scalars(select(Group.name).order_by(Group.name)))


def kept_names(database: Database) -> Kept[str, list[str]]:
    return Kept(database.changes, lambda _: names(database))


async def add(session: AsyncSession) -> None:
    session.add(Group(name="Design", handle="design"))


async def insert_one(session: AsyncSession) -> None:
    await session.execute(insert(Group).values(name="Design", handle="design"))


@pytest.mark.parametrize("change", [add, insert_one])
async def test_what_is_added_is_seen_with_the_next_look(database: Database, change: Change) -> None:
    kept = kept_names(database)
    assert await kept.get("") == []
    async with database.writing() as session:
        await change(session)
    assert await kept.get("") == ["Design"]


async def test_what_is_changed_or_removed_is_seen_with_the_next_look(database: Database) -> None:
    kept = kept_names(database)
    async with database.writing() as session:
        await add(session)
    assert await kept.get("") == ["Design"]
    async with database.writing() as session:
        await session.execute(update(Group).values(name="Drawing"))
    assert await kept.get("") == ["Drawing"]
    async with database.writing() as session:
        await session.execute(delete(Group))
    assert await kept.get("") == []


async def test_another_process_is_noticed_within_a_moment(database: Database, neighbour: Database) -> None:
    kept = kept_names(database)
    assert await kept.get("") == []
    async with neighbour.writing() as session:
        await add(session)
    await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    assert await kept.get("") == ["Design"]


async def test_what_nobody_keeps_throws_nothing_away(database: Database) -> None:
    before = database.changes.generation()
    async with database.writing() as session:
        session.add(SignInAttempts(subject="somebody", failures=1, last_failure_at=now()))
        await session.execute(update(Group).values(name="Drawing"), execution_options=UNWATCHED)
        await session.execute(select(Group))
    assert database.changes.generation() == before


async def test_what_is_read_while_it_changes_is_read_again(database: Database) -> None:
    async def read_and_change(_: str) -> list[str]:
        found = await names(database)
        if not found:
            async with database.writing() as session:
                await add(session)
        return found

    kept = Kept(database.changes, read_and_change)
    assert await kept.get("") == []
    assert await kept.get("") == ["Design"]


async def test_while_nothing_is_heard_of_others_everything_is_read_anew(database: Database) -> None:
    asked = []

    async def read(key: int) -> int:
        asked.append(key)
        return key

    kept = Kept(database.changes, read)
    database.changes.hearing = lambda: None
    for key in (1, 1):
        await kept.get(key)
    assert asked == [1, 1]


async def test_what_was_kept_is_dropped_when_others_are_heard_on_another_line(database: Database) -> None:
    async with database.writing() as session:
        await add(session)
    await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    kept = kept_names(database)
    database.changes.hearing = lambda: 1
    assert await kept.get("") == ["Design"]
    async with database.writing() as session:
        # What tells nobody stands for what another process told while it could not be heard.
        await session.execute(update(Group).values(name="Drawing"), execution_options=UNWATCHED)
    assert await kept.get("") == ["Design"]

    database.changes.hearing = lambda: 2
    assert await kept.get("") == ["Drawing"]


async def test_no_more_is_kept_than_was_asked_for(database: Database) -> None:
    asked = []

    async def read(key: int) -> int:
        asked.append(key)
        return key

    kept = Kept(database.changes, read, most=2)
    for key in (1, 2, 1, 3, 3):
        assert await kept.get(key) == key
    assert asked == [1, 2, 3]
