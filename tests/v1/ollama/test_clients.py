"""Ollama's own library against the running server: Bob's key and Echo."""

from typing import Any

import ollama
import pytest
from ollama import AsyncClient, ChatResponse

ECHO = "practice/echo-fast"
QUESTION = [{"role": "user", "content": "Good morning"}]


async def test_a_conversation(client: AsyncClient) -> None:
    told = await client.chat(ECHO, messages=QUESTION)

    assert told.message.content == "Good morning"
    assert (told.model, told.done, told.done_reason) == (ECHO, True, "stop")
    assert told.eval_count == 2


async def test_a_conversation_in_pieces(client: AsyncClient) -> None:
    lines = [line async for line in await client.chat(ECHO, messages=QUESTION, stream=True)]

    assert "".join(line.message.content or "" for line in lines) == "Good morning"
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1].eval_count == 2


async def test_thoughts(client: AsyncClient) -> None:
    told = await client.chat(ECHO, messages=[{"role": "user", "content": "/think Hello"}], think=True)

    assert told.message.thinking
    assert told.message.content == "Hello"


async def test_tools_are_called_and_answered(client: AsyncClient) -> None:
    def weather(city: str) -> str:
        """How it is outside."""
        return f"It rains in {city}."

    turns: list[Any] = [{"role": "user", "content": '/tool weather {"city": "Oslo"} How is it?'}]
    called = await client.chat(ECHO, messages=turns, tools=[weather])
    [call] = called.message.tool_calls or []

    turns += [called.message, {"role": "tool", "tool_name": "weather", "content": "It rains."}]
    answer = await client.chat(ECHO, messages=turns, tools=[weather])

    assert (call.function.name, call.function.arguments) == ("weather", {"city": "Oslo"})
    assert "It rains." in (answer.message.content or "")


async def test_a_single_prompt(client: AsyncClient) -> None:
    told = await client.generate(ECHO, prompt="Good morning")
    pieces = [line.response async for line in await client.generate(ECHO, prompt="Good morning", stream=True)]

    assert told.response == "".join(piece or "" for piece in pieces) == "Good morning"


async def test_vectors(client: AsyncClient) -> None:
    several = await client.embed(ECHO, input=["one", "two"])
    alone = await client.embed(ECHO, input="one")
    as_before = await client.embeddings(ECHO, prompt="one")

    assert len(several.embeddings) == 2
    assert several.embeddings[0] == alone.embeddings[0] == as_before.embedding


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"model": "practice/nothing"}, 404),
        ({"options": {"mirostat": 1}}, 400),
        ({"messages": []}, 400),
        ({"messages": [{"role": "user", "content": "/fail overloaded"}]}, 503),
    ],
)
async def test_refusals_are_one_sentence(client: AsyncClient, asked: dict[str, Any], status: int) -> None:
    with pytest.raises(ollama.ResponseError) as refusal:
        await client.chat(**({"model": ECHO, "messages": QUESTION} | asked))

    assert refusal.value.status_code == status
    assert refusal.value.error.endswith(".")


async def test_whoever_has_no_key_gets_nowhere(address: str) -> None:
    stranger = AsyncClient(host=f"{address}/ollama")

    with pytest.raises(ollama.ResponseError) as refusal:
        await stranger.chat(ECHO, messages=QUESTION)

    assert refusal.value.status_code == 401


async def test_a_stream_that_breaks_is_never_done(client: AsyncClient) -> None:
    question = [{"role": "user", "content": "/break one two three four"}]
    lines: list[ChatResponse] = []

    async def listen() -> None:
        async for line in await client.chat(ECHO, messages=question, stream=True):
            lines.append(line)  # noqa: PERF401  (what came before the break counts)

    with pytest.raises(ollama.ResponseError):
        await listen()

    assert "".join(line.message.content or "" for line in lines) == "one two"
    assert not any(line.done for line in lines)


class TestAgainstItsOwnLanguage:
    """What it asks goes on to a server of Ollama's language as it is, and comes back as it is."""

    async def test_a_conversation(self, client: AsyncClient, own: str) -> None:
        told = await client.chat(own, messages=QUESTION)
        lines = [line async for line in await client.chat(own, messages=QUESTION, stream=True)]

        assert told.message.content == "You said: Good morning"
        assert "".join(line.message.content or "" for line in lines).strip() == told.message.content
        assert {line.model for line in (told, *lines)} == {own}
        assert (lines[-1].done, lines[-1].prompt_eval_count, lines[-1].eval_count) == (True, 11, 7)

    async def test_a_single_prompt(self, client: AsyncClient, own: str) -> None:
        told = await client.generate(own, prompt="Good morning", options={"mirostat": 1})
        lines = [line async for line in await client.generate(own, prompt="Good morning", stream=True)]

        assert told.response == "You said: Good morning"
        assert "".join(line.response or "" for line in lines).strip() == told.response
        assert {line.model for line in (told, *lines)} == {own}

    async def test_tools_and_schemas(self, client: AsyncClient, own: str) -> None:
        def weather(city: str) -> str:
            """How it is outside."""
            return f"It rains in {city}."

        called = await client.chat(own, messages=QUESTION, tools=[weather])
        filled = await client.chat(
            own, messages=QUESTION, format={"type": "object", "properties": {"a": {"type": "string"}}}
        )

        [call] = called.message.tool_calls or []
        assert (call.function.name, call.function.arguments) == ("weather", {"city": "Good morning"})
        assert filled.message.content == '{"a":"Good morning"}'
