"""Programs that ask for an alias: told who answered, in their own language, and kept to what their key allows."""

import httpx
import pytest
from fastapi import FastAPI

from app.accounts.audit import COMMAND_LINE, Act
from app.accounts.key_rules import Rules
from app.catalog import aliases
from app.catalog.aliases import Share, WantedAlias
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import Visitor
from tests.v1.conftest import Connect, MakeKey

NOWHERE = "http://127.0.0.1:9/v1"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"provider_retries": 0})


@pytest.fixture(autouse=True)
async def fast(connect: Connect, database: Database) -> None:
    """`fast` is `away/gpt`, which nobody reaches, then `practice/echo-fast`."""
    await connect("away", "openai-compatible", "gpt", base_url=NOWHERE)
    await connect("practice", "echo", "echo-fast")
    await aliased(database, "fast", "away/gpt", "practice/echo-fast")


async def aliased(database: Database, name: str, *models: str) -> None:
    """An alias for these, in their order."""
    async with database.writing() as session:
        await aliases.add(session, WantedAlias(name, tuple(map(Share, models))), Act(COMMAND_LINE))


async def asks(client: Visitor, key: str, door: str, **body: object) -> httpx.Response:
    return await client.post(door, json={"model": "fast", **HELLO, **body}, headers={"x-api-key": key})


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("door", "more"),
    [("/v1/chat/completions", {}), ("/v1/messages", {"max_tokens": 50}), ("/ollama/api/chat", {})],
)
async def test_the_headers_say_who_answered(
    client: Visitor, key: str, door: str, more: dict[str, int], stream: bool
) -> None:
    response = await asks(client, key, door, stream=stream, **more)

    assert response.status_code == 200, response.text
    assert response.headers["x-parley-model"] == "practice/echo-fast"
    assert response.headers["x-parley-attempts"] == "2"
    assert "Hello" in response.text


async def test_an_alias_is_listed_and_read(client: Visitor, key: str) -> None:
    response = await client.get("/v1/models", headers={"x-api-key": key})

    names = [model["id"] for model in response.json()["data"]]
    assert names == ["away/gpt", "practice/echo-fast", "fast", "gpt", "echo-fast"]
    one = await client.get("/v1/models/fast", headers={"x-api-key": key})
    assert one.json()["id"] == "fast"


async def test_a_key_is_kept_to_its_models_behind_the_alias(
    app: FastAPI, client: Visitor, make_key: MakeKey
) -> None:
    for allowed, status, attempts in (
        ("fast", 200, "2"),
        ("practice/echo-fast", 200, "1"),
        ("other/model", 403, None),
    ):
        key = await make_key(Rules(models=frozenset({allowed})))
        response = await asks(client, key, "/v1/chat/completions")
        assert (response.status_code, response.headers.get("x-parley-attempts")) == (status, attempts)


async def test_a_model_answers_to_its_own_name(client: Visitor, key: str) -> None:
    response = await asks(client, key, "/v1/chat/completions", model="echo-fast")

    assert response.headers["x-parley-model"] == "practice/echo-fast"
