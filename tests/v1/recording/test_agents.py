"""Agents in four languages, which think, call tools and send everything back: one conversation each."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from tests.cast import Visitor
from tests.v1.clients import ANTHROPIC, OLLAMA, OPENAI, RESPONSES, Client
from tests.v1.recording.conftest import BooksAgree, Said, Stored
from tests.v1.recording.programs import ECHO

QUESTION = '/think /tool depth {"of":"harbour", "now": true} How deep is it?'
SCHEMA = {"type": "object", "properties": {"of": {"type": "string"}, "now": {"type": "boolean"}}}
FUNCTION = {"name": "depth", "parameters": SCHEMA}
RESULT = "12 metres"
ROUND = ["user", "assistant", "user", "assistant"]

Json = dict[str, Any]
Steps = Callable[[Json], list[Json]]


def in_openais_words(answer: Json) -> list[Json]:
    message = answer["choices"][0]["message"]
    calls = message.get("tool_calls", [])
    return [message, *({"role": "tool", "tool_call_id": call["id"], "content": RESULT} for call in calls)]


def in_items(answer: Json) -> list[Json]:
    calls = [item for item in answer["output"] if item["type"] == "function_call"]
    results = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": RESULT} for call in calls
    ]
    return [*answer["output"], *results]


def in_blocks(answer: Json) -> list[Json]:
    calls = [block for block in answer["content"] if block["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": call["id"], "content": RESULT} for call in calls]
    said = [{"role": "assistant", "content": answer["content"]}]
    return [*said, {"role": "user", "content": results}] if results else said


def in_ollamas_words(answer: Json) -> list[Json]:
    calls = answer["message"].get("tool_calls", [])
    return [
        answer["message"],
        *({"role": "tool", "tool_name": call["function"]["name"], "content": RESULT} for call in calls),
    ]


@pytest.mark.parametrize(
    ("surface", "turns_at", "tool", "steps"),
    [
        (OPENAI, "messages", {"type": "function", "function": FUNCTION}, in_openais_words),
        (RESPONSES, "input", {"type": "function", **FUNCTION}, in_items),
        (ANTHROPIC, "messages", {"name": "depth", "input_schema": SCHEMA}, in_blocks),
        (OLLAMA, "messages", {"type": "function", "function": FUNCTION}, in_ollamas_words),
    ],
    ids=lambda it: it.name if isinstance(it, Client) else "",
)
async def test_an_agent_goes_on_in_one_conversation(
    app: FastAPI,
    client: Visitor,
    storing_key: str,
    chats: Stored,
    said: Said,
    books_agree: BooksAgree,
    surface: Client,
    turns_at: str,
    tool: Json,
    steps: Steps,
) -> None:
    turns: list[Json] = [{"role": "user", "content": QUESTION}]

    async def step() -> None:
        body = surface.asking(ECHO) | {turns_at: turns, "tools": [tool]}
        answer = await client.post(surface.path, json=body, headers={"x-api-key": storing_key})
        assert answer.status_code == 200, answer.text
        turns.extend(steps(answer.json()))
        await app.state.recorder.drain(5)

    await step()
    await step()
    turns.append({"role": "user", "content": "And how wide?"})
    await step()

    [chat] = await chats()
    messages = await said(chat)
    assert [message["role"] for message in messages] == [*ROUND, "user", "assistant"]
    assert "Calls the tool `depth`" in messages[1]["content"]
    assert messages[1]["reasoning"]
    assert messages[2]["content"].endswith(RESULT)
    assert messages[4]["content"] == "And how wide?"
    assert all(message["output_tokens"] for message in messages if message["role"] == "assistant")
    await books_agree()
