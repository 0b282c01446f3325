"""What is local stays in the house, whatever becomes of it."""

# ruff: noqa: F811  (fixtures are asked for by their names)

import pytest
from sqlalchemy import delete, select

from app.catalog import connections
from app.catalog.access import ModelNotUsable
from app.catalog.models import Connection, Model
from app.core.errors import Conflict
from app.providers.errors import Overloaded, RateLimited
from tests.gateway.market import ACT, Market, market, no_pauses, settings  # noqa: F401  (fixtures)


async def test_what_is_local_never_goes_on_to_the_cloud(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("private", "cellar/gpt", "north/gpt")
    market.mood("cellar", "overloaded")

    with pytest.raises(Overloaded):
        await market.ask("private")
    await market.change("cellar", is_active=False)
    with pytest.raises(ModelNotUsable, match="switched off"):
        await market.ask("private")

    assert market.asked("north") == 0


async def test_a_local_model_that_is_listed_no_more_sends_nobody_to_the_cloud(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("private", "cellar/gpt", "north/gpt")
    async with market.database.writing() as session:
        cellar = (await session.scalars(select(Connection).where(Connection.name == "cellar"))).one()
        await session.execute(delete(Model).where(Model.connection_id == cellar.id))

    with pytest.raises(ModelNotUsable, match="cellar/gpt"):
        await market.ask("private")
    async with market.database.writing() as session:
        with pytest.raises(Conflict, match="private"):
            await connections.remove(session, await connections.by_name(session, "cellar"), ACT)


async def test_a_local_connection_that_rests_sends_nobody_to_the_cloud(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("private", "cellar/gpt", "north/gpt")
    market.mood("cellar", "limited")
    for _ in range(2):
        with pytest.raises(RateLimited):
            await market.ask("private")

    assert market.asked("north") == 0


async def test_an_alias_may_allow_the_cloud_and_the_cloud_may_go_home(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("open", "cellar/gpt", "north/gpt", cloud=True)
    await market.alias("homewards", "south/gpt", "cellar/gpt")
    market.mood("cellar", "overloaded")
    assert (await market.ask("open")).model == "north/gpt"

    market.mood("cellar", "well")
    market.mood("south", "overloaded")
    assert (await market.ask("homewards")).model == "cellar/gpt"
