"""What is sent fits the types that the vendors' own client libraries publish."""

from functools import cache
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pydantic import TypeAdapter

from app.providers.base import JsonFormat, Request, Role, Tool, ToolUse, Turn
from tests.providers.conversations import CONVERSATIONS
from tests.providers.saying import SAY

TOOLS = (Tool("weather", "Tells the weather.", {"type": "object"}), Tool("clock", "Tells the time.", {}))
FRACTIONS = some.none() | some.floats(0, 1)
REQUESTS = some.builds(
    Request,
    model=some.just("a-model"),
    turns=CONVERSATIONS.map(lambda turns: (Turn(Role.SYSTEM, "Be brief."), *turns)),
    streaming=some.just(True),
    is_lenient=some.just(True),
    max_output_tokens=some.none() | some.integers(1, 10**6),
    temperature=FRACTIONS,
    top_p=FRACTIONS,
    top_k=some.none() | some.integers(1, 100),
    seed=some.none() | some.integers(0, 10**9),
    stop=some.sampled_from([(), ("END",), ("one", "two")]),
    tools=some.sampled_from([(), TOOLS]),
    tool_use=some.none() | some.sampled_from(ToolUse),
    tool_name=some.none() | some.just("clock"),
    parallel_tool_calls=some.none() | some.booleans(),
    response_format=some.sampled_from([None, JsonFormat(), JsonFormat({"type": "object"})]),
    reasoning_effort=some.sampled_from([None, "none", "low", "high"]),
    thinking_budget=some.none() | some.integers(1_024, 50_000),
)

made_up = given(request=REQUESTS)
unhurried = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def published(module: str, name: str) -> TypeAdapter[Any]:
    """A type of a client library."""
    return TypeAdapter(getattr(import_module(module), name))


def fits(body: Any, shape: TypeAdapter[Any], *beyond_it: str) -> None:
    """`beyond_it` are parameters that are served, but not published (any more)."""
    assert set(body) - set(shape.validate_python(body)) <= set(beyond_it)


@unhurried
@made_up
def test_anthropics(request: Request) -> None:
    shape = published("anthropic.types.message_create_params", "MessageCreateParamsStreaming")

    fits(SAY["Anthropic"](request), shape, "temperature", "top_p", "top_k")


@pytest.mark.parametrize("vendor", ["OpenAI", "OpenAI-compatible", "LM Studio"])
@unhurried
@made_up
def test_openais(vendor: str, request: Request) -> None:
    shape = published("openai.types.chat.completion_create_params", "CompletionCreateParamsStreaming")

    fits(SAY[vendor](request), shape, "top_k")


@unhurried
@made_up
def test_groqs(request: Request) -> None:
    shape = published("groq.types.chat.completion_create_params", "CompletionCreateParams")

    fits(SAY["Groq"](request), shape, "stream_options")


@unhurried
@made_up
def test_ollamas(request: Request) -> None:
    library = import_module("ollama._types")
    body = SAY["Ollama"](request)

    read = library.ChatRequest(**body)

    assert set(body) - set(type(read).model_fields) <= {"truncate", "shift"}
    assert set(body["options"]) <= set(library.Options.model_fields)
