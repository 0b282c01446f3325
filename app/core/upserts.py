"""INSERT … ON CONFLICT, which SQLAlchemy spells by database."""

from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def insert_into(session: AsyncSession, table: Table) -> sqlite.Insert:
    """An INSERT into `table` that may say what happens to rows that are there; both databases say it alike."""
    return insert_for(session.get_bind().dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert:
    """The same for a dialect, for statements that are built once."""
    return (
        cast("sqlite.Insert", postgresql.insert(table)) if dialect == "postgresql" else sqlite.insert(table)
    )
