"""Anthropic's own library looks around on the running server, and asks nobody anything yet."""

from typing import Any

import anthropic
import httpx
import pytest
from anthropic import AsyncAnthropic

from app.accounts.key_rules import Rules
from tests.v1.conftest import Connect, MakeKey

ECHO = "practice/echo-fast"
HELLO: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {"name": "weather", "description": "How it is outside", "input_schema": {"type": "object"}}


async def test_the_root_answers_whoever_looks_whether_somebody_is_there(address: str) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.head(address)).status_code == 200


async def test_tokens_are_counted(claude: AsyncAnthropic) -> None:
    few = await claude.messages.count_tokens(model=ECHO, messages=[{"role": "user", "content": "Hello"}])
    more = await claude.messages.count_tokens(
        model=ECHO, messages=[{"role": "user", "content": "Hello"}], tools=[WEATHER], system="Be kind."
    )

    assert 0 < few.input_tokens < more.input_tokens


async def test_models_are_listed_page_by_page(claude: AsyncAnthropic, connect: Connect) -> None:
    await connect("other", "echo", "echo", "echo-slow")

    first = await claude.models.list(limit=2)
    everything = [model.id async for model in claude.models.list(limit=2)]
    one = await claude.models.retrieve("other/echo")

    assert first.has_more
    assert everything[:3] == ["other/echo", "other/echo-slow", ECHO]
    assert (one.display_name, one.type) == ("Echo", "model")


async def test_a_key_lists_what_it_is_made_for(
    claude: AsyncAnthropic, address: str, make_key: MakeKey
) -> None:
    other = await make_key(Rules(models=frozenset({"practice/echo"})))
    async with AsyncAnthropic(base_url=address, api_key=other, max_retries=0) as client:
        assert [model.id async for model in client.models.list()] == []
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve(ECHO)


async def test_whoever_has_no_key_sees_nothing(address: str) -> None:
    async with AsyncAnthropic(base_url=address, api_key="sk-nonsense", max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError) as refusal:
            await client.models.list()
        with pytest.raises(anthropic.AuthenticationError):
            await client.messages.count_tokens(model=ECHO, messages=HELLO)

    body: Any = refusal.value.body
    assert body["error"]["type"] == "authentication_error"
    assert body["request_id"] == refusal.value.request_id


@pytest.mark.parametrize(
    ("asked", "error", "parameter"),
    [
        ({"model": "practice/nothing", "messages": HELLO}, anthropic.NotFoundError, None),
        ({"model": ECHO, "messages": []}, anthropic.BadRequestError, "messages"),
    ],
)
async def test_what_cannot_be_counted(
    claude: AsyncAnthropic, asked: Any, error: type[anthropic.APIStatusError], parameter: str | None
) -> None:
    with pytest.raises(error) as refusal:
        await claude.messages.count_tokens(**asked)

    body: Any = refusal.value.body
    assert body["error"].get("parameter") == parameter
    assert refusal.value.response.headers["x-should-retry"] == "false"


async def test_others_get_the_list_in_openais_shape(address: str, key: str, connect: Connect) -> None:
    await connect("practice", "echo", "echo-fast")
    async with httpx.AsyncClient(base_url=address, headers={"authorization": f"Bearer {key}"}) as client:
        listed = (await client.get("/v1/models")).json()
        odd = await client.get("/v1/models", params={"limit": "many"})
    async with httpx.AsyncClient(base_url=address) as stranger:
        refused = await stranger.get("/v1/models")

    assert [model["id"] for model in listed["data"]] == [ECHO, "echo-fast"]
    assert (odd.status_code, odd.json()["error"]["param"]) == (400, "limit")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
