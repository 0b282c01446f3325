"""Brings a database to the schema that this version of Parley expects.

Migrating is all or nothing: every pending revision runs in one transaction, on SQLite too, and one process
at a time. A SQLite file is copied aside first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, pool, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

from app.core.backups import back_up
from app.core.database import make_private_file
from app.core.settings import ROOT, Settings

ADVISORY_LOCK = 0x7061726C6579  # "parley"; any number that no other user of the database takes


class NewerDatabase(Exception):
    """The database was migrated by a newer Parley than this one; the message says what to do."""


@dataclass(frozen=True)
class Migrated:
    """What `upgrade` did: the revisions it ran, oldest first, and where the database was copied before."""

    revisions: tuple[str, ...]
    backup: Path | None


def pending(settings: Settings) -> tuple[str, ...]:
    """The revisions that the database still lacks, oldest first. Raises NewerDatabase."""
    with connection_for_migrating(settings.resolved_database_url) as connection:
        return _pending(connection)


def upgrade(settings: Settings) -> Migrated:
    """Run what is pending, after copying a SQLite database that holds something. Raises NewerDatabase."""
    with connection_for_migrating(settings.resolved_database_url) as connection:
        revisions = _pending(connection)
        if not revisions:
            return Migrated((), None)
        backup = back_up(settings) if settings.is_sqlite and _holds_something(connection) else None
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
        return Migrated(revisions, backup)


@contextmanager
def connection_for_migrating(url: str) -> Iterator[Connection]:
    """A connection in one transaction, committed at the end; other processes that migrate wait for it."""
    parsed = _synchronous(make_url(url))
    engine = create_engine(parsed, poolclass=pool.NullPool)
    if parsed.get_backend_name() == "sqlite":
        make_private_file(Path(parsed.database or ""))
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            if parsed.get_backend_name() == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
            yield connection
    finally:
        engine.dispose()


def _pending(connection: Connection) -> tuple[str, ...]:
    scripts = ScriptDirectory.from_config(_configuration())
    current = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if not known.issuperset(current):
        raise NewerDatabase(
            "The database was made by a newer version of Parley. Install that version again, "
            "or restore the copy that was made before the upgrade (see DATA_DIR/backups)."
        )
    done = {script.revision for script in scripts.iterate_revisions(current, "base")} if current else set()
    ordered = reversed(list(scripts.walk_revisions()))
    return tuple(script.revision for script in ordered if script.revision not in done)


def _holds_something(connection: Connection) -> bool:
    return connection.execute(text("SELECT name FROM sqlite_master LIMIT 1")).first() is not None


def _configuration() -> Config:
    return Config(ROOT / "alembic.ini")


def _synchronous(url: URL) -> URL:
    return url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url


def _leave_transactions_to_us(connection: DBAPIConnection, _record: object) -> None:
    # The driver commits before it changes a table; a failed migration would leave half of itself behind.
    connection.isolation_level = None
    # Foreign keys stay off (SQLite's default): swapping a table must not delete the rows that refer to it.
    connection.execute("PRAGMA busy_timeout = 10000")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
