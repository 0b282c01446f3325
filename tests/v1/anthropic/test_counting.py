"""How many tokens a request is: Anthropic's own word for its models, an estimate for every other."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.key_rules import Rules
from app.catalog.models import Connection, ConnectionKey
from app.core.database import Database
from app.core.settings import Settings
from tests.providers.fake_server import FakeServer, transcript
from tests.v1.conftest import Connect, Entries, MakeKey

CLAUDE = "anthropic/claude-x"
HELLO: Any = [{"role": "user", "content": "Hello"}]
COUNTING = "/v1/messages/count_tokens"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    quick = {"provider_first_token_timeout": 1.5, "provider_retries": 0}
    return settings.model_copy(update=quick)


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer) -> None:
    await connect("anthropic", "anthropic", "claude-x", base_url=vendor.url)
    vendor.plays_at(COUNTING, "anthropic/counted")


async def test_anthropic_counts_for_its_own_models(
    claude: AsyncAnthropic, vendor: FakeServer, entries: Entries
) -> None:
    search: Any = {"type": "web_search_20250305", "name": "web_search"}

    told = await claude.messages.count_tokens(
        model=CLAUDE,
        messages=HELLO,
        system="Be kind.",
        tools=[search],
        extra_body={"container": "c", "temperature": 1},
        extra_headers={"anthropic-beta": "context-1m"},
    )

    assert told.input_tokens == 2_095
    [asked] = vendor.received
    assert asked.json == {
        "model": "claude-x",
        "messages": HELLO,
        "system": "Be kind.",
        "tools": [search],
    }
    assert asked.headers["anthropic-beta"] == "context-1m"
    assert asked.headers["x-api-key"] == "sk-vendor"
    assert await entries() == []


async def test_nobody_is_asked_for_models_of_others(claude: AsyncAnthropic, vendor: FakeServer) -> None:
    told = await claude.messages.count_tokens(model="practice/echo-fast", messages=HELLO)

    assert 0 < told.input_tokens < 100
    assert vendor.received == []


@pytest.mark.parametrize("story", ["anthropic/overloaded", "anthropic/bad_key", "compatible/html", "silence"])
async def test_an_estimate_serves_better_than_an_error(
    claude: AsyncAnthropic, vendor: FakeServer, story: str
) -> None:
    silence = transcript("anthropic/counted").but(stalls_at=0)
    vendor.plays_at(COUNTING, silence if story == "silence" else story)

    told = await claude.messages.count_tokens(model=CLAUDE, messages=HELLO)

    assert 0 < told.input_tokens < 100
    assert len(vendor.received) == 1


async def test_a_key_that_is_not_made_for_it_asks_nobody(
    make_key: MakeKey, address: str, vendor: FakeServer
) -> None:
    other = await make_key(Rules(models=frozenset({"practice/echo-fast"})))

    async with AsyncAnthropic(base_url=address, api_key=other, max_retries=0) as client:
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.count_tokens(model=CLAUDE, messages=HELLO)

    assert vendor.received == []


async def test_a_key_that_is_limited_leaves_the_counting_to_another(
    claude: AsyncAnthropic, vendor: FakeServer, app: FastAPI, database: Database
) -> None:
    async with database.writing() as session:
        connection = (await session.scalars(select(Connection).where(Connection.name == "anthropic"))).one()
        another = app.state.vault.encrypt("sk-another")
        session.add(ConnectionKey(connection_id=connection.id, encrypted_key=another, key_hint="ther"))
    vendor.plays_at(COUNTING, "anthropic/rate_limited", "anthropic/counted")

    told = await claude.messages.count_tokens(model=CLAUDE, messages=HELLO)

    assert told.input_tokens == 2_095
    assert {received.headers["x-api-key"] for received in vendor.received} == {"sk-vendor", "sk-another"}
