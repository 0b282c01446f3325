"""A workspace in which Echo answers."""

import pytest
from fastapi import FastAPI

from app.catalog.models import Connection, Model
from app.core.database import Database
from app.core.settings import Settings


@pytest.fixture
async def echo(app: FastAPI, database: Database) -> str:
    """Echo is connected with all its models; returns the name of the fast one."""
    async with database.writing() as session:
        connection = Connection(name="echo", label="Echo", kind="echo")
        session.add(connection)
        await session.flush()
        session.add_all(
            Model(
                connection_id=connection.id,
                name=name,
                display_name=label,
                context_window=2_000,
                is_enabled=True,
            )
            for name, label in (("echo", "Echo"), ("echo-fast", "Echo, fast"), ("echo-slow", "Echo, slow"))
        )
    return "echo/echo-fast"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Replies that a test leaves behind are not waited for."""
    return settings.model_copy(update={"shutdown_grace": 0.0})
