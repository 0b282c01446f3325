"""Vectors of an alias: always of the same model, since those of two cannot be compared."""

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.catalog.access import ModelNotUsable
from app.catalog.models import Connection, Model
from app.core.database import Database
from app.gateway.embedding import EmbeddingCall
from app.providers.base import EmbeddingRequest
from tests.cast import Cast
from tests.gateway.market import Market

WORDS = EmbeddingRequest("words", ("The red house",))


@pytest.fixture
async def practice(app: FastAPI, database: Database) -> Market:
    async with database.writing() as session:
        for name in ("near", "far"):
            connection = Connection(name=name, label=name.title(), kind="echo")
            session.add(connection)
            await session.flush()
            session.add(Model(connection_id=connection.id, name="echo", display_name="Echo", is_enabled=True))
    market = Market(app.state.gateway, database)
    await market.alias("words", "near/echo=1", "far/echo=99", weighted=True)
    return market


async def test_chance_chooses_no_other_model(practice: Market, cast: Cast) -> None:
    call = EmbeddingCall(cast.bob.id, WORDS, "api")

    models = {(await practice.gateway.embed(call)).model for _ in range(10)}

    assert models == {"near/echo"}


async def test_no_other_model_stands_in(practice: Market, cast: Cast) -> None:
    call = EmbeddingCall(cast.bob.id, WORDS, "api")
    assert await practice.gateway.embed(call)
    async with practice.database.writing() as session:
        await session.execute(update(Connection).where(Connection.name == "near").values(is_active=False))

    with pytest.raises(ModelNotUsable):
        await practice.gateway.embed(call)
