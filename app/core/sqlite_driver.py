"""SQLite with one trip to the connection's thread for each statement.

aiosqlite gives every connection a thread, and SQLAlchemy goes there four times for a statement: for a cursor,
to execute, to fetch, to close. Each trip waits for the interpreter's lock, which a busy event loop gives away
only every few milliseconds. Here a statement is one trip; results are small and were fetched whole before too.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi


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
        async with self._adapt_connection._execute_mutex:
            driver: Any = self._connection
            self._cursor, rows = await driver._execute(_run, driver._conn, verb, operation, parameters)
            self._rows.extend(rows)


def _run(
    connection: sqlite3.Connection, verb: str, operation: str, parameters: Any
) -> tuple[Outcome, list[Any]]:
    """In the connection's thread."""
    cursor = connection.cursor()
    try:
        getattr(cursor, verb)(operation, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return Outcome(cursor), rows
    finally:
        cursor.close()


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """Goes to the thread to undo only what was begun."""

    __slots__ = ()

    _cursor_cls: Any = OneTripCursor

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
