"""Anthropic's own library against the running server: Bob's key, Echo and a vendor that plays transcripts."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from app.accounts.key_rules import Rules
from tests.providers.fake_server import FakeServer
from tests.v1.conftest import Connect, MakeKey

ECHO = "practice/echo-fast"
WEATHER = {"name": "weather", "description": "How it is outside", "input_schema": {"type": "object"}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"


def asking(text: str, **parameters: Any) -> dict[str, Any]:
    question = [{"role": "user", "content": text}]
    return {"model": ECHO, "max_tokens": 200, "messages": question, **parameters}


async def test_a_message(claude: AsyncAnthropic) -> None:
    message = await claude.messages.create(**asking("Good morning"))

    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "Good morning"}]
    assert (message.model, message.stop_reason) == (ECHO, "end_turn")
    assert message.usage.output_tokens == 2
    assert message._request_id


async def test_a_stream(claude: AsyncAnthropic) -> None:
    async with claude.messages.stream(**asking("Good morning to all")) as stream:
        said = [text async for text in stream.text_stream]
        message = await stream.get_final_message()

    assert len(said) > 1
    assert "".join(said) == "Good morning to all"
    assert message.usage.output_tokens == 4


async def test_as_coding_tools_ask(claude: AsyncAnthropic) -> None:
    """Beta addresses and headers, an empty HEAD for the server's root, and a bearer token."""
    message = await claude.beta.messages.create(**asking("Hello", betas=["interleaved-thinking-2025-05-14"]))

    assert message.content[0].to_dict()["text"] == "Hello"


async def test_a_key_may_come_as_a_bearer_token(claude: AsyncAnthropic, address: str, key: str) -> None:
    async with AsyncAnthropic(base_url=address, auth_token=key, api_key=None, max_retries=0) as client:
        message = await client.messages.create(**asking("Hello"))

    assert message.stop_reason == "end_turn"


async def test_thoughts_come_signed_and_go_back(claude: AsyncAnthropic) -> None:
    async with claude.messages.stream(**asking("/think Hello")) as stream:
        message = await stream.get_final_message()
    thought = message.content[0]

    again = [
        {"role": "user", "content": "/think Hello"},
        message.to_param(),
        {"role": "user", "content": "And again"},
    ]
    answer = await claude.messages.create(**asking("", messages=again))

    assert thought.type == "thinking"
    assert thought.signature
    assert answer.content[-1].to_dict()["text"] == "And again"


async def test_tools_are_called_and_answered(claude: AsyncAnthropic) -> None:
    question = {"role": "user", "content": '/tool weather {"city": "Oslo"} How is it?'}
    async with claude.messages.stream(**asking("", messages=[question], tools=[WEATHER])) as stream:
        called = await stream.get_final_message()
    [call] = [block for block in called.content if block.type == "tool_use"]

    result = {"type": "tool_result", "tool_use_id": call.id, "content": "It rains."}
    turns = [question, called.to_param(), {"role": "user", "content": [result]}]
    answer = await claude.messages.create(**asking("", messages=turns, tools=[WEATHER]))

    assert (called.stop_reason, call.name, call.input) == ("tool_use", "weather", {"city": "Oslo"})
    assert "It rains." in answer.content[-1].to_dict()["text"]


async def test_what_anthropic_answers_is_passed_on_as_it_is(
    claude: AsyncAnthropic, connect: Connect, vendor: FakeServer
) -> None:
    await connect("claude", "anthropic", "claude-sonnet-4-5", base_url=vendor.url)
    vendor.plays("anthropic/answer")
    before = {"type": "thinking", "thinking": "Hm", "signature": "c2lnbmVk"}
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": [before, {"type": "text", "text": "Yes?"}]},
        {"role": "user", "content": "Greet me"},
    ]

    async with claude.messages.stream(
        **asking("", model="claude/claude-sonnet-4-5", messages=turns)
    ) as stream:
        message = await stream.get_final_message()

    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "They greet me.", "signature": SIGNATURE},
        {"type": "text", "text": "Grüße, 世界 🌍!"},
    ]
    assert message.usage.cache_read_input_tokens == 300
    [received] = vendor.received
    assert received.json["model"] == "claude-sonnet-4-5"
    assert received.json["messages"][1]["content"][0] == before


@pytest.mark.parametrize(
    ("parameters", "error", "kind"),
    [
        ({"model": "practice/nothing"}, anthropic.NotFoundError, "not_found_error"),
        ({"max_tokens": 0}, anthropic.BadRequestError, "invalid_request_error"),
        (
            {"messages": [{"role": "user", "content": [PDF]}]},
            anthropic.BadRequestError,
            "invalid_request_error",
        ),
        (
            {"messages": [{"role": "user", "content": "/fail overloaded"}]},
            anthropic.APIStatusError,
            "overloaded_error",
        ),
    ],
)
async def test_refusals_speak_anthropics_language(
    claude: AsyncAnthropic, parameters: dict[str, Any], error: type[anthropic.APIStatusError], kind: str
) -> None:
    with pytest.raises(error) as refusal:
        await claude.messages.create(**(asking("Hello") | parameters))

    body: Any = refusal.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert body["request_id"] == refusal.value.request_id


async def test_whoever_has_no_key_gets_nowhere(address: str) -> None:
    async with AsyncAnthropic(base_url=address, api_key="sk-nonsense", max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError) as refusal:
            await client.messages.create(**asking("Hello"))

    body: Any = refusal.value.body
    assert body["error"]["type"] == "authentication_error"


async def test_a_key_for_other_models_is_refused(
    claude: AsyncAnthropic, address: str, make_key: MakeKey
) -> None:
    other = await make_key(Rules(models=frozenset({"practice/echo"})))
    async with AsyncAnthropic(base_url=address, api_key=other, max_retries=0) as client:
        with pytest.raises(anthropic.PermissionDeniedError) as refusal:
            await client.messages.create(**asking("Hello"))
        listed = [model.id async for model in client.models.list()]

    body: Any = refusal.value.body
    assert body["error"]["type"] == "permission_error"
    assert listed == []


async def test_a_stream_that_breaks_is_never_whole(claude: AsyncAnthropic) -> None:
    said: list[str] = []

    async def listen() -> None:
        async with claude.messages.stream(**asking("/break one two three four")) as stream:
            async for text in stream.text_stream:
                said.append(text)  # noqa: PERF401  (what came before the break counts)

    with pytest.raises(anthropic.APIError):
        await listen()

    assert "".join(said) == "one two"
