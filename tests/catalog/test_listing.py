"""What programs are told of models: those that may be called, and which of them a server holds in memory."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from fastapi import FastAPI

from app.catalog.listing import listed_models
from app.catalog.loaded import models_in_memory
from app.catalog.models import Connection, Model
from app.catalog.opening import OpenProviders
from app.core.clock import now
from app.core.database import Database
from tests.cast import Cast


@pytest.fixture
async def ollama() -> AsyncIterator[str]:
    """A server that holds one model in memory."""

    async def list_loaded(_request: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": "qwen3", "model": "qwen3", "size": 5_000}]})

    app = web.Application()
    app.router.add_get("/api/ps", list_loaded)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def connect(
    database: Database, name: str, *models: Model, kind: str = "ollama", base_url: str = ""
) -> None:
    async with database.writing() as session:
        connection = Connection(name=name, label=name, kind=kind, base_url=base_url)
        session.add(connection)
        await session.flush()
        for model in models:
            model.connection_id = connection.id
            session.add(model)


def ticked(name: str, **known: object) -> Model:
    return Model(name=name, display_name=name.title(), is_enabled=True, **known)


async def names_for(database: Database, user_id: str) -> list[str]:
    async with database.reading() as session:
        return [model.full_name for model in await listed_models(session, user_id)]


async def test_what_may_be_called_is_listed_by_name(cast: Cast, database: Database) -> None:
    await connect(database, "gpu", ticked("qwen3"), ticked("embedder", embeddings=True))
    await connect(
        database, "attic", Model(name="closed", display_name="Closed"), ticked("gone", missing_since=now())
    )
    await connect(database, "cellar", ticked("hidden", is_restricted=True))

    assert await names_for(database, cast.bob.id) == ["gpu/embedder", "gpu/qwen3"]
    assert "cellar/hidden" in await names_for(database, cast.alice.id)


async def test_servers_tell_what_they_hold_in_memory(
    cast: Cast, database: Database, app: FastAPI, ollama: str
) -> None:
    providers: OpenProviders = app.state.providers
    await connect(database, "gpu", ticked("qwen3"), ticked("mistral"), base_url=ollama)
    await connect(database, "practice", ticked("echo"), kind="echo")
    await connect(database, "down", ticked("qwen3"), base_url="http://127.0.0.1:9")

    [held] = await models_in_memory(database, providers, cast.bob.id)

    assert (held.model.full_name, held.loaded.size) == ("gpu/qwen3", 5_000)
