"""The database: one engine, one transaction per request, and the habits that SQLite needs.

A page view reads without a transaction, each statement what is committed at its moment, as on PostgreSQL.
Whatever may write begins immediately, so that two writers queue instead of one failing half-way: in the order in
which they came within this process (SQLite itself lets whoever asks at the right moment go first), and up to
`busy_timeout` for others. Hence `Database.reading()` and `Database.writing()`, which on PostgreSQL are the same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy import DateTime, Dialect, MetaData, String, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from starlette.requests import HTTPConnection

from app.core.changes import Changes, watch
from app.core.errors import Unavailable
from app.core.sqlite_driver import OneTripDriver

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
AFTER_COMMIT = "after_commit"
HAS_THE_TURN = "has_the_turn"
SECONDS_TO_WAIT_FOR_A_TURN = 30
Door = TypeVar("Door", bound=Callable[..., object])
BRIEF: set[object] = set()
"""Routes that are marked with `briefly`."""


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware moment. SQLite keeps no zone: what it returns is marked as the UTC it was stored as."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone was about to be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Tables. Columns of type `datetime` are timezone-aware; relationships are never loaded by surprise."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, str: String}  # noqa: RUF012  (SQLAlchemy's name and shape)


class Database:
    """Opens sessions. Closing it closes every pooled connection."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _create_engine(url)
        self.changes = Changes(_file_for_changes(self.url))
        watch(self.engine.sync_engine, self.changes)
        writer, brief_writer = (
            self.engine.execution_options(parley_begin="BEGIN IMMEDIATE", parley_brief=brief)
            for brief in (False, True)
        )
        reader, brief_reader = (
            self.engine.execution_options(parley_begin=None, parley_brief=brief) for brief in (False, True)
        )
        self._reading = async_sessionmaker(reader, expire_on_commit=False, autoflush=False)
        self._reading_briefly = async_sessionmaker(brief_reader, expire_on_commit=False, autoflush=False)
        self._writing = async_sessionmaker(writer, expire_on_commit=False)
        self._writing_briefly = async_sessionmaker(brief_writer, expire_on_commit=False)
        # SQLite's plain BEGIN, the default of `_take_turns`: all that is read is as it was at the first statement.
        still = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._still = async_sessionmaker(still, expire_on_commit=False, autoflush=False)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def reading(self, *, brief: bool = False) -> AsyncIterator[AsyncSession]:
        """A session for looking only; nothing it did is kept. `brief`: it finds a few rows by their keys."""
        async with self._reading_briefly() if brief else self._reading() as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session for looking at several things as they were in one moment, whoever writes meanwhile."""
        async with self._still() as session:
            yield session

    @asynccontextmanager
    async def writing(self, *, brief: bool = False) -> AsyncIterator[AsyncSession]:
        """A session whose work is committed when the block ends well; then `after_commit` callbacks run.

        `brief`: it finds and changes a few rows by their keys. On SQLite nobody else can write meanwhile, and to
        change threads for each statement would take longer than all of them.
        """
        async with self._writing_briefly() if brief else self._writing() as session:
            yield session
            await session.commit()
        _run_after_commit(session)

    async def close(self) -> None:
        await self.engine.dispose()


def after_commit(session: AsyncSession, callback: Callable[[], object]) -> None:
    """Run `callback` once the session's work is committed: others must not hear of what may be undone."""
    session.info.setdefault(AFTER_COMMIT, []).append(callback)


async def commit_early(session: AsyncSession) -> None:
    """Commit before the request ends: what follows, such as rendering, must keep no other writer waiting."""
    await session.commit()
    _run_after_commit(session)


def briefly(door: Door) -> Door:
    """Marks a route that finds and changes a few rows by their keys, see `Database.writing`."""
    BRIEF.add(door)
    return door


def _run_after_commit(session: AsyncSession) -> None:
    for callback in session.info.pop(AFTER_COMMIT, []):
        callback()


def database_of(connection: HTTPConnection) -> Database:
    """The application's database, for a door that opens its own short sessions."""
    database: Database = connection.app.state.database
    return database


async def _request_session(request: Request) -> AsyncIterator[AsyncSession]:
    database = database_of(request)
    brief = request.scope["endpoint"] in BRIEF
    opened = (database.reading if request.method in SAFE_METHODS else database.writing)(brief=brief)
    async with opened as session:
        yield session


# `scope="function"`: the commit happens before the response is sent, so that an answer is a promise kept.
Session = Annotated[AsyncSession, Depends(_request_session, scope="function")]


def make_private_file(database: Path) -> None:
    """A file for SQLite, and the folder around it, unless they are there.

    SQLite itself would let everybody on the machine read it; its write-ahead log takes over the file's mode.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    if not database.exists():
        database.touch(mode=0o600)


def _file_for_changes(url: URL) -> Path | None:
    """Beside a SQLite file: by its time other processes learn that something was changed."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(f"{url.database}-changed")


def _create_engine(url: str) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _engine(url, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        make_private_file(Path(parsed.database))
    engine = _engine(url, module=OneTripDriver())
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    _take_turns(engine)
    return engine


def _engine(url: str, **options: Any) -> AsyncEngine:
    # Errors must not quote the values of a statement: they end in logs, and may be messages or hashes.
    return create_async_engine(url, pool_size=10, max_overflow=10, hide_parameters=True, **options)


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # Transactions are begun by `_begin_sqlite`; the driver must not begin its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "busy_timeout = 10000",
        "foreign_keys = ON",
        "cache_size = -16000",
        "temp_store = MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _take_turns(engine: AsyncEngine) -> None:
    """Begin SQLite's transactions, those that write one after another."""
    turn = asyncio.Lock()

    async def wait_for_turn(_driver: object) -> None:
        try:
            async with asyncio.timeout(SECONDS_TO_WAIT_FOR_A_TURN):
                await turn.acquire()
        except TimeoutError as error:
            raise Unavailable("The database is busy. Try again in a moment.", retry_after=5) from error

    def begin(connection: Any) -> None:
        options, driver = connection.get_execution_options(), connection.connection.dbapi_connection
        driver.is_brief = False
        statement = options.get("parley_begin", "BEGIN")
        if statement == "BEGIN IMMEDIATE":
            driver.run_async(wait_for_turn)
            connection.connection.record_info[HAS_THE_TURN] = True
        if statement is not None:
            connection.exec_driver_sql(statement)
        driver.is_brief = options.get("parley_brief", False)

    def end(_connection: object, record: ConnectionPoolEntry) -> None:
        if record.record_info and record.record_info.pop(HAS_THE_TURN, False):
            turn.release()

    event.listen(engine.sync_engine, "begin", begin)
    # Whatever became of the transaction: here its connection is given back.
    event.listen(engine.sync_engine, "checkin", end)
