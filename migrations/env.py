"""Runs migrations on the connection that the caller passed in, or on the database that the settings name."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from app import schema
from app.core.database import UtcDateTime
from app.core.migrations import connection_for_migrating
from app.core.settings import Settings


def run() -> None:
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    url = Settings().resolved_database_url
    if context.is_offline_mode():
        context.configure(url=url, target_metadata=schema.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    with connection_for_migrating(url) as connection:
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=schema.metadata,
        # SQLite alters little: batches make a new table, copy the rows and swap.
        render_as_batch=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


def _render(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    # A revision names no type of ours: it must still run when that type is gone or has changed.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


run()
