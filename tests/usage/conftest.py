"""A database with tables and nobody in it, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.database import Database
from app.core.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, data_dir: Path) -> str:
    """The address of each, as SQLAlchemy takes it."""
    if request.param == "sqlite":
        return Settings(data_dir=data_dir, _env_file=None).resolved_database_url
    address = request.getfixturevalue("postgres_with_tables")
    return Settings(data_dir=data_dir, database_url=address, _env_file=None).resolved_database_url


@pytest.fixture
async def books(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()
