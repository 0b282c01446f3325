"""What Anthropic's clients send is understood, or refused in a sentence that names the parameter."""

from base64 import b64encode
from typing import Any

import pytest

from app.providers.base import Image, JsonFormat, Request, Role, Thought, Tool, ToolCall, ToolUse, Turn
from app.v1.anthropic.reading import asked_in, counted_in
from app.v1.surface import BadRequest

PNG = b"\x89PNG\r\n\x1a\n and so on"
QUESTION = {"role": "user", "content": "Hello"}
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": b64encode(PNG).decode()},
}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
WEATHER = {"name": "weather", "description": "How it is outside", "input_schema": {"type": "object"}}


def body_with(**parameters: Any) -> dict[str, Any]:
    return {"model": "claude/sonnet", "max_tokens": 100, "messages": [QUESTION], **parameters}


def request_in(**parameters: Any) -> Request:
    return asked_in(body_with(**parameters)).request


def turns_in(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return request_in(messages=list(messages)).turns


def test_the_least_that_can_be_asked() -> None:
    asked = asked_in(body_with())

    assert asked.request == Request(
        "claude/sonnet", (Turn(Role.USER, "Hello"),), streaming=False, max_output_tokens=100
    )
    assert asked.beyond == ()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"stream": True}, {"streaming": True}),
        ({"temperature": 0.5, "top_p": 0.9, "top_k": 40}, {"temperature": 0.5, "top_p": 0.9, "top_k": 40}),
        ({"stop_sequences": ["\n\n", "END"]}, {"stop": ("\n\n", "END")}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"thinking_budget": 2000}),
        ({"thinking": {"type": "adaptive"}}, {"reasoning_effort": None, "thinking_budget": None}),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            {"reasoning_effort": "max"},
        ),
        ({"output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            {"response_format": JsonFormat({"type": "object"})},
        ),
        (
            {"output_format": {"type": "json_schema", "schema": {"type": "array"}}},
            {"response_format": JsonFormat({"type": "array"})},
        ),
        ({"tools": [WEATHER]}, {"tools": (Tool("weather", "How it is outside", {"type": "object"}),)}),
        ({"tool_choice": {"type": "auto"}}, {"tool_use": ToolUse.AUTO}),
        ({"tool_choice": {"type": "any"}}, {"tool_use": ToolUse.REQUIRED}),
        ({"tool_choice": {"type": "none"}}, {"tool_use": ToolUse.NONE}),
        (
            {"tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}},
            {"tool_use": ToolUse.REQUIRED, "tool_name": "weather", "parallel_tool_calls": False},
        ),
    ],
)
def test_each_parameter_finds_its_place(parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    request = request_in(**parameters)

    assert {name: getattr(request, name) for name in expected} == expected


@pytest.mark.parametrize(
    "system",
    ["Be kind.\n\nBe brief.", [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be brief."}]],
)
def test_instructions_come_as_text_or_as_blocks(system: object) -> None:
    assert request_in(system=system).turns[0] == Turn(Role.SYSTEM, "Be kind.\n\nBe brief.")


def test_text_and_images_keep_their_order() -> None:
    said = {
        "role": "user",
        "content": [{"type": "text", "text": "This:"}, IMAGE, {"type": "text", "text": "?"}],
    }

    assert turns_in(said) == (Turn(Role.USER, parts=("This:", Image("image/png", PNG), "?")),)


def test_results_of_tools_become_turns_of_their_own() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
    results = [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain"},
        {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": True, "content": [IMAGE]},
        {"type": "text", "text": "Go on."},
    ]

    turns = turns_in(QUESTION, {"role": "assistant", "content": [call]}, {"role": "user", "content": results})

    assert turns[1:] == (
        Turn(Role.ASSISTANT, tool_calls=(ToolCall("toolu_1", "weather", '{"city":"Oslo"}'),)),
        Turn(Role.TOOL, "Rain", tool_call_id="toolu_1"),
        Turn(Role.TOOL, tool_call_id="toolu_2", is_error=True, parts=(Image("image/png", PNG),)),
        Turn(Role.USER, "Go on."),
    )


def test_thoughts_keep_their_signatures_and_their_places() -> None:
    content = [
        {"type": "thinking", "thinking": "First", "signature": "s1"},
        {"type": "redacted_thinking", "data": "d1"},
        {"type": "text", "text": "So."},
        {"type": "thinking", "thinking": "Then", "signature": "s2"},
        {"type": "text", "text": "And so."},
    ]

    assert turns_in(QUESTION, {"role": "assistant", "content": content})[1:] == (
        Turn(Role.ASSISTANT, "So.", thoughts=(Thought("First", "s1"), Thought(redacted="d1"))),
        Turn(Role.ASSISTANT, "And so.", thoughts=(Thought("Then", "s2"),)),
    )


def test_a_plain_document_is_read_under_its_title() -> None:
    document = {"type": "document", "title": "Notes", "source": {"type": "text", "data": "Buy milk"}}

    assert turns_in({"role": "user", "content": [document]}) == (Turn(Role.USER, "Notes\n\nBuy milk"),)


@pytest.mark.parametrize(
    ("parameters", "beyond"),
    [
        ({"messages": [{"role": "user", "content": [PDF]}]}, ("messages.0.content.0",)),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "x"}}]}
                ]
            },
            ("messages.0.content.0",),
        ),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, ("tools.0",)),
        ({"mcp_servers": [{"url": "https://example.org"}]}, ("mcp_servers",)),
    ],
)
def test_what_only_anthropic_can_do_is_named(parameters: dict[str, Any], beyond: tuple[str, ...]) -> None:
    assert asked_in(body_with(**parameters)).beyond == beyond


def test_what_says_nothing_about_the_answer_is_ignored() -> None:
    system = [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    tools = [WEATHER | {"cache_control": {"type": "ephemeral"}}]
    ignored = {"metadata": {"user_id": "x"}, "service_tier": "auto", "context_management": {"edits": []}}

    asked = asked_in(body_with(system=system, tools=tools, **ignored))

    assert asked.beyond == ()
    assert asked.request == request_in(system="Be kind.", tools=[WEATHER])


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages.0"),
        ({"messages": [{"content": "Hello"}]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "Hello"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"text": "no type"}]}]}, "messages.0.content.0.type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
            "messages.0.content.0.tool_use_id",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages.0.content.0.source"),
        ({"system": [{"type": "image"}]}, "system.0.type"),
        ({"temperature": 1.5}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop_sequences": [1]}, "stop_sequences"),
        ({"stream": "yes"}, "stream"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "hard"}}, "thinking.type"),
        ({"tools": [{"name": "weather"}]}, "tools.0.input_schema"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": {}}, "tool_choice.type"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
    ],
)
def test_what_does_not_fit_is_named(parameters: dict[str, Any], parameter: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        asked_in(body_with(**parameters))

    assert refusal.value.parameter == parameter
    assert refusal.value.message.startswith(f"{parameter}: ")


@pytest.mark.parametrize("data", ["not base64!", b64encode(b"<svg/>").decode()])
def test_only_images_are_taken_for_images(data: str) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}

    with pytest.raises(BadRequest, match=r"messages\.0\.content\.0\.source\.data"):
        turns_in({"role": "user", "content": [image]})


def test_counting_needs_no_limit() -> None:
    body = body_with()
    del body["max_tokens"]

    assert counted_in(body).request.max_output_tokens is None
