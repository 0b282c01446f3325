"""A workspace in which Echo answers, and a real server for what streams."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
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
async def address(app: FastAPI) -> AsyncIterator[str]:
    """The application behind a real socket: what streams cannot be seen without one."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn tells in no other way)
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = server.force_exit = True
    await serving


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Replies that a test leaves behind are not waited for."""
    return settings.model_copy(update={"shutdown_grace": 0.0})
