"""A killed server forgets no cent: what its calls had used is counted by the next one, once."""

import os
import signal

import pytest
from sqlalchemy import func, select

from app.chats import accounting
from app.chats.models import Message
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.usage import verification
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


async def entries(database: Database) -> list[LedgerEntry]:
    async with database.reading() as session:
        return list(await session.scalars(select(LedgerEntry)))
