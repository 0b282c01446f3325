"""What a chat completion asks for, in OpenAI's words."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given

from app.providers.base import Image, JsonFormat, Request, Role, Thought, Tool, ToolCall, ToolUse, Turn
from app.providers.openai_messages import chat_body
from app.v1.openai.chat import ChatCompletions
from app.v1.surface import Asked, BadRequest
from tests.v1.openai.any_request import PNG, requests

Json = dict[str, Any]

HELLO = {"role": "user", "content": "Hello"}
PICTURE = "data:image/png;base64," + b64encode(PNG).decode()
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "Tells it.", "parameters": {"type": "object"}},
}


def read(**parameters: Any) -> Asked:
    return ChatCompletions().read({"model": "echo/echo", "messages": [HELLO], **parameters})


def turn_of(message: Json) -> Turn:
    return read(messages=[message]).request.turns[0]


@given(requests())
def test_what_we_say_to_a_provider_we_understand_from_a_client(request: Request) -> None:
    assert ChatCompletions().read(chat_body(request)).request == request


@pytest.mark.parametrize(
    ("message", "turn"),
    [
        ({"role": "system", "content": "Be brief."}, Turn(Role.SYSTEM, "Be brief.")),
        ({"role": "developer", "content": "Be brief."}, Turn(Role.SYSTEM, "Be brief.")),
        ({"role": "user", "content": "Hi", "name": "ann"}, Turn(Role.USER, "Hi")),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            Turn(Role.USER, "a\nb"),
        ),
        (
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is"},
                    {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
                    {"type": "text", "text": "this?"},
                ],
            },
            Turn(Role.USER, parts=("What is", Image("image/png", PNG), "this?")),
        ),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
                ],
            },
            Turn(Role.ASSISTANT, tool_calls=(ToolCall("1", "weather", "{}"),)),
        ),
        ({"role": "assistant", "content": None, "refusal": "No."}, Turn(Role.ASSISTANT, "No.")),
        (
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            Turn(Role.ASSISTANT, "No."),
        ),
        (
            {"role": "assistant", "content": "4", "reasoning_content": "2 and 2"},
            Turn(Role.ASSISTANT, "4", thoughts=(Thought("2 and 2"),)),
        ),
        ({"role": "tool", "tool_call_id": "1", "content": "Rain"}, Turn(Role.TOOL, "Rain", tool_call_id="1")),
    ],
)
def test_messages_are_turns(message: Json, turn: Turn) -> None:
    assert turn_of(message) == turn


def test_thoughts_come_back_unchanged() -> None:
    details = [
        {"type": "reasoning.text", "text": "Hm", "signature": "s1"},
        {"type": "reasoning.encrypted", "data": "xyz"},
    ]

    turn = turn_of({"role": "assistant", "content": "4", "reasoning_details": details})

    assert turn.thoughts == (Thought("Hm", "s1"), Thought(redacted="xyz"))


@pytest.mark.parametrize(
    ("parameters", "field", "value"),
    [
        ({"max_tokens": 5}, "max_output_tokens", 5),
        ({"max_completion_tokens": 6, "max_tokens": 5}, "max_output_tokens", 6),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["a", "b"]}, "stop", ("a", "b")),
        ({"stop": None}, "stop", ()),
        ({"seed": -3}, "seed", -3),
        ({"stream": True}, "streaming", True),
        ({}, "streaming", False),
        ({"reasoning_effort": "high"}, "reasoning_effort", "high"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", False),
        ({"tools": [WEATHER]}, "tools", (Tool("weather", "Tells it.", {"type": "object"}),)),
        ({"tool_choice": "required"}, "tool_use", ToolUse.REQUIRED),
        ({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, "tool_name", "weather"),
        ({"response_format": {"type": "text"}}, "response_format", None),
        ({"response_format": {"type": "json_object"}}, "response_format", JsonFormat()),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {}, "strict": True},
                }
            },
            "response_format",
            JsonFormat({}, "n", True),
        ),
    ],
)
def test_parameters_reach_the_request(parameters: Json, field: str, value: object) -> None:
    assert getattr(read(**parameters).request, field) == value


def test_a_client_says_whether_it_wants_usage() -> None:
    assert read(stream_options={"include_usage": True}).wants_usage
    assert not read().wants_usage


@pytest.mark.parametrize(
    ("parameters", "beyond"),
    [
        ({"n": 2}, ("n",)),
        ({"logprobs": True, "top_logprobs": 2}, ("logprobs", "top_logprobs")),
        ({"min_p": 0.1}, ("min_p",)),
        ({"functions": [{"name": "old"}]}, ("functions",)),
        ({"tools": [WEATHER, {"type": "custom", "custom": {"name": "c"}}]}, ("tools.1",)),
        ({"n": 1, "logprobs": False, "logit_bias": {}, "verbosity": "medium"}, ()),
        ({"user": "ann", "metadata": {"a": "b"}, "store": False, "service_tier": "auto"}, ()),
        ({"min_p": None}, ()),
    ],
)
def test_what_no_other_vendor_has_a_word_for_is_named(parameters: Json, beyond: tuple[str, ...]) -> None:
    assert read(**parameters).beyond == beyond


@pytest.mark.parametrize(
    ("parameters", "named", "sentence"),
    [
        ({"model": None}, "model", "model: is needed."),
        ({"messages": []}, "messages", "at least one message"),
        ({"messages": "Hello"}, "messages", "must be a list"),
        ({"messages": ["Hello"]}, "messages.0", "must be an object"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role", "must be one of system"),
        ({"messages": [{"role": "user", "content": 4}]}, "messages.0.content", "a text or a list of parts"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id", "is needed"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages.0.content.0.type",
            "“input_audio” are not read here",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}],
                    }
                ]
            },
            "messages.0.content.0.image_url.url",
            "not fetched from elsewhere",
        ),
        ({"temperature": 3}, "temperature", "between 0 and 2"),
        ({"temperature": True}, "temperature", "must be a number"),
        ({"max_tokens": 0}, "max_tokens", "at least 1"),
        ({"stop": [1]}, "stop", "list of texts"),
        ({"reasoning_effort": "enormous"}, "reasoning_effort", "must be one of none, minimal"),
        ({"tools": [{"type": "function"}]}, "tools.0.function", "is needed"),
        ({"tool_choice": "perhaps"}, "tool_choice", "must be one of"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice", "one function can be asked for"),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema",
            "a schema is needed",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(parameters: Json, named: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(**parameters)

    assert refusal.value.parameter == named
    assert sentence in refusal.value.message
