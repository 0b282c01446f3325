"""SQLite with one trip to the connection's thread for each statement, or with none.

aiosqlite gives every connection a thread, and SQLAlchemy goes there four times for a statement: for a cursor,
to execute, to fetch, to close. Each trip waits for the interpreter's lock, which a busy event loop gives away
only every few milliseconds. Here a statement is one trip; results are small and were fetched whole before too.

What is *brief* needs no trip: a statement that finds or changes a few rows takes less time than changing threads.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi

MOST_ROWS_AT_ONCE = 100
"""More than these are written in the connection's thread in any case, and so is what is larger than LARGE."""
LARGE = 100_000
"""Bytes of one value, such as an image."""


class Outcome:
    """What a statement left behind; takes the place of the driver's cursor."""

    def __init__(self, cursor: sqlite3.Cursor | None = None) -> None:
        self.description = cursor.description if cursor else None
        self.rowcount = cursor.rowcount if cursor else -1
        self.lastrowid = cursor.lastrowid if cursor else None
        self.arraysize = 1

    async def close(self) -> None:
        """Nothing is open any more."""


class OneTripCursor(AsyncAdapt_dbapi_cursor):
    """Executes, fetches and closes in one go."""

    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        return Outcome()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._go("execute", operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Sequence[Any]) -> None:
        await self._go("executemany", operation, seq_of_parameters)

    async def _go(self, verb: str, operation: Any, parameters: Any) -> None:
        adapted: Any = self._adapt_connection
        driver: Any = self._connection
        async with adapted._execute_mutex:
            if adapted.is_brief and _is_little(parameters if verb == "executemany" else (parameters,)):
                outcome, rows = _run(driver._conn, verb, operation, parameters)
            else:
                outcome, rows = await driver._execute(_run, driver._conn, verb, operation, parameters)
            self._cursor: Any = outcome
            self._rows.extend(rows)


def _is_little(rows: Sequence[Any]) -> bool:
    return len(rows) <= MOST_ROWS_AT_ONCE and not any(
        type(value) is bytes and len(value) > LARGE for row in rows for value in row
    )


def _run(
    connection: sqlite3.Connection, verb: str, operation: str, parameters: Any
) -> tuple[Outcome, list[Any]]:
    cursor = connection.cursor()
    try:
        getattr(cursor, verb)(operation, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return Outcome(cursor), rows
    finally:
        cursor.close()


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """Goes to the thread to undo only what was begun. While it `is_brief`, statements are executed where they are said.

    What may wait for another process or for the disk, to begin and to commit, is done in the thread always.
    """

    __slots__ = ("is_brief",)

    _cursor_cls: Any = OneTripCursor

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.is_brief = False

    def rollback(self) -> None:
        driver: Any = self._connection
        if driver._connection and driver.in_transaction:
            super().rollback()


class OneTripDriver(AsyncAdapt_aiosqlite_dbapi):
    """What SQLAlchemy takes for the module of the driver."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arguments: Any, **options: Any) -> OneTripConnection:
        return OneTripConnection(self, super().connect(*arguments, **options)._connection)
