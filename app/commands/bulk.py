"""Many rows at once, as fast as a database takes them: for installations that nobody uses yet."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Base, UtcDateTime


@asynccontextmanager
async def indexed_at_the_end(session: AsyncSession, *models: type[Base]) -> AsyncIterator[None]:
    """These tables have no indexes until the block ends: to sort once is cheaper than to find a place for each row."""
    connection = await session.connection()
    indexes = [index for model in models for index in cast("Table", model.__table__).indexes]
    for index in indexes:
        await connection.run_sync(index.drop)
    yield
    for index in indexes:
        await connection.run_sync(index.create)


async def insert_many(session: AsyncSession, table: Table, rows: Sequence[NamedTuple]) -> None:
    """Write rows whose fields are called like the table's columns."""
    if not rows:
        return
    if session.get_bind().dialect.name != "sqlite":
        await session.execute(insert(table), [row._asdict() for row in rows])
        return
    # Past everything that looks at each value: half of the time would be spent on that.
    names = rows[0]._fields
    moments = [place for place, name in enumerate(names) if isinstance(table.c[name].type, UtcDateTime)]
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    connection = await session.connection()
    await connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})',  # noqa: S608  (names of ours)
        [_as_sqlite_keeps_it(row, moments) for row in rows],
    )


def _as_sqlite_keeps_it(row: tuple[object, ...], moments: Sequence[int]) -> tuple[object, ...]:
    """With moments, which are in UTC, as SQLAlchemy writes them: `2026-11-20 12:00:00.000000`."""
    for place in moments:
        moment = row[place]
        if isinstance(moment, datetime):
            row = (*row[:place], f"{str(moment)[:19]}.{moment.microsecond:06}", *row[place + 1 :])
    return row
