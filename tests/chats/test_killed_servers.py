"""A killed server forgets no cent: what its calls had used is counted by the next one, once."""

import asyncio
import os
import signal
from contextlib import suppress

import httpx
import pytest
from sqlalchemy import func, select

from app.catalog.models import Connection, Model
from app.chats import accounting
from app.chats.models import Message
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.providers.base import Role, Turn
from app.usage import verification
from app.usage.estimates import tokens_in_turns
from app.usage.models import (
    Budget,
    BudgetCounter,
    ChatSum,
    LedgerEntry,
    ModelSum,
    OpenCall,
    Outcome,
    PriceOverride,
    Reservation,
)
from tests.chats.test_durability import client_of, installed, starts_a_long_answer
from tests.conftest import StartServer
from tests.providers.fake_server import Answer, running
from tests.waiting import until

LIMIT = 10_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "sqlite":
        return settings
    url = request.getfixturevalue("postgres_with_tables")
    return Settings(data_dir=settings.data_dir, database_url=url, _env_file=None)


async def price_and_limit(database: Database) -> None:
    """A token costs a micro-dollar, and the workspace has ten dollars."""
    async with database.writing() as session:
        price = PriceOverride(connection="echo", model="echo", input=1_000_000, output=1_000_000)
        price.effective_from = now()
        session.add_all([price, Budget(scope="workspace", unit="usd", period="month", amount=LIMIT)])


async def test_what_a_killed_server_used_is_counted_once(
    settings: Settings, start_server: StartServer
) -> None:
    database = Database(settings.resolved_database_url)
    environment = {"DATABASE_URL": settings.database_url} if settings.database_url else {}
    async with installed(settings) as key:
        await price_and_limit(database)
        server = start_server(**environment)
        async with client_of(server, key) as client:
            _, reply_id, heard = await starts_a_long_answer(client)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        assert await entries(database) == [], "the server had no time to write"

        start_server(**environment)
        assert await until(lambda: entries(database), seconds=40)

    (entry,) = await entries(database)
    async with database.reading() as session:
        reply = await session.get_one(Message, reply_id)
        counter = (await session.scalars(select(BudgetCounter))).one()
        chat = await session.scalar(select(ChatSum.cost_micros).where(ChatSum.connection == ""))
        months = await session.scalar(select(ModelSum.cost_micros).where(func.length(ModelSum.period) == 7))
        assert await session.scalar(select(func.count()).select_from(OpenCall)) == 0
        assert await verification.disagreements(session, now()) == []
        assert await accounting.differences(session) == []
        held = await session.scalar(select(func.sum(Reservation.amount))) or 0
    await database.close()
    assert (entry.outcome, entry.is_estimate, entry.origin) == (
        Outcome.STOPPED,
        True,
        f"chat:{reply.chat_id}",
    )
    # Echo says fifty words a second, and what is under way is noted twice a second.
    assert entry.output_tokens >= len(heard.split()) - 50
    assert entry.cost_micros == entry.input_tokens + entry.output_tokens
    assert reply.tokens_are_estimated
    assert entry.cost_micros == reply.cost_micros == counter.spent == chat == months
    assert counter.reserved == held


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_vectors_that_were_being_made_are_counted_too(
    settings: Settings, start_server: StartServer
) -> None:
    database = Database(settings.resolved_database_url)
    environment = {"DATABASE_URL": settings.database_url} if settings.database_url else {}
    async with installed(settings) as key, running() as vendor:
        vendor.plays(Answer(body=b"{}", stalls_at=0))
        await price_and_limit(database)
        await connect_vectors(database, f"{vendor.url}/v1")
        server = start_server(**environment)
        asked = {"model": "vectors/v", "input": "How red is the house? " * 100}
        async with client_of(server, key) as client:
            asking = asyncio.create_task(client.post("/v1/embeddings", json=asked))
            assert await until(lambda: noted(database))
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
            with suppress(httpx.HTTPError):
                await asking
        assert await entries(database) == [], "the server had no time to write"

        start_server(**environment)
        assert await until(lambda: entries(database), seconds=40)

    (entry,) = await entries(database)
    async with database.reading() as session:
        assert await session.scalar(select(BudgetCounter.spent)) == entry.cost_micros
        assert await verification.disagreements(session, now()) == []
    await database.close()
    assert (entry.model, entry.outcome, entry.is_estimate, entry.output_tokens) == ("v", "stopped", True, 0)
    assert entry.input_tokens == entry.cost_micros == tokens_in_turns((Turn(Role.USER, str(asked["input"])),))


async def connect_vectors(database: Database, url: str) -> None:
    """A token of `vectors/v` costs a micro-dollar, too."""
    async with database.writing() as session:
        vectors = Connection(name="vectors", label="Vectors", kind="openai-compatible", base_url=url)
        price = PriceOverride(connection="vectors", model="v", input=1_000_000, output=1_000_000)
        price.effective_from = now()
        session.add_all([vectors, price])
        await session.flush()
        session.add(Model(connection_id=vectors.id, name="v", display_name="V", is_enabled=True))


async def noted(database: Database) -> int | None:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OpenCall))


async def entries(database: Database) -> list[LedgerEntry]:
    async with database.reading() as session:
        return list(await session.scalars(select(LedgerEntry)))
