"""What a response is asked for: a text, or items."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.base import Image, JsonFormat, Role, Thought, Tool, ToolCall, ToolUse, Turn
from app.v1.fields import Fields
from app.v1.openai.responses import Responses
from app.v1.openai.thoughts import reasoning_item, thought_in
from app.v1.surface import Asked, BadRequest
from tests.v1.openai.any_request import PNG, thoughts

Json = dict[str, Any]

PICTURE = "data:image/png;base64," + b64encode(PNG).decode()
WEATHER: Json = {
    "type": "function",
    "name": "weather",
    "description": "Tells it.",
    "parameters": {"type": "object"},
    "strict": False,
}


def read(**parameters: Any) -> Asked:
    return Responses().read({"model": "echo/echo", "input": "Hello", **parameters})


def turns_of(*items: Json) -> tuple[Turn, ...]:
    return read(input=list(items)).request.turns


def test_a_text_is_one_turn_after_the_instructions() -> None:
    turns = read(instructions="Be brief.").request.turns

    assert turns == (Turn(Role.SYSTEM, "Be brief."), Turn(Role.USER, "Hello"))


@pytest.mark.parametrize(
    ("item", "turn"),
    [
        ({"role": "user", "content": "Hi"}, Turn(Role.USER, "Hi")),
        ({"type": "message", "role": "developer", "content": "Be brief."}, Turn(Role.SYSTEM, "Be brief.")),
        (
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is"},
                    {"type": "input_image", "image_url": PICTURE, "detail": "auto"},
                ],
            },
            Turn(Role.USER, parts=("What is", Image("image/png", PNG))),
        ),
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "4", "annotations": []}],
            },
            Turn(Role.ASSISTANT, "4"),
        ),
        (
            {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
            Turn(Role.ASSISTANT, tool_calls=(ToolCall("c", "weather", "{}"),)),
        ),
        (
            {"type": "function_call", "call_id": "c", "namespace": "sky", "name": "w", "arguments": "{}"},
            Turn(Role.ASSISTANT, tool_calls=(ToolCall("c", "sky__w", "{}"),)),
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": "Rain"},
            Turn(Role.TOOL, "Rain", tool_call_id="c"),
        ),
        (
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "input_text", "text": "Rain"}],
            },
            Turn(Role.TOOL, "Rain", tool_call_id="c"),
        ),
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "+ a"},
            Turn(Role.ASSISTANT, tool_calls=(ToolCall("c", "patch", '{"input":"+ a"}'),)),
        ),
        (
            {"type": "custom_tool_call_output", "call_id": "c", "output": "Done"},
            Turn(Role.TOOL, "Done", tool_call_id="c"),
        ),
        (
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]},
            Turn(Role.ASSISTANT, thoughts=(Thought("Hm"),)),
        ),
        (
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "of another vendor"},
            Turn(Role.ASSISTANT),
        ),
    ],
)
def test_items_are_turns(item: Json, turn: Turn) -> None:
    assert turns_of(item) == (turn,)


def test_what_the_model_did_in_one_go_is_one_turn() -> None:
    turns = turns_of(
        {"role": "user", "content": "How is Rome?"},
        reasoning_item(Thought("Hm", "s1"), "rs_1"),
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "a", "name": "weather", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "time", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "Rain"},
        {"type": "function_call_output", "call_id": "b", "output": "Noon"},
    )

    assert [turn.role for turn in turns] == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.TOOL]
    assert turns[1] == Turn(
        Role.ASSISTANT,
        "Let me see.",
        tool_calls=(ToolCall("a", "weather", "{}"), ToolCall("b", "time", "{}")),
        thoughts=(Thought("Hm", "s1"),),
    )


@given(thoughts)
def test_a_thought_comes_back_unchanged(thought: Thought) -> None:
    assert thought_in(Fields(reasoning_item(thought, "rs_1"))) == thought


@given(st.text(max_size=30))
def test_a_foreign_seal_is_not_taken_for_ours(text: str) -> None:
    item = reasoning_item(Thought("Hm"), "rs_1") | {"encrypted_content": "gAAAA" + text}

    assert thought_in(Fields(item)) == Thought("Hm")


@pytest.mark.parametrize(
    ("parameters", "field", "value"),
    [
        ({"max_output_tokens": 5}, "max_output_tokens", 5),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, "reasoning_effort", "low"),
        ({"tools": [WEATHER]}, "tools", (Tool("weather", "Tells it.", {"type": "object"}),)),
        ({"tool_choice": "none"}, "tool_use", ToolUse.NONE),
        ({"tool_choice": {"type": "function", "name": "weather"}}, "tool_name", "weather"),
        ({"text": {"format": {"type": "json_object"}}}, "response_format", JsonFormat()),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True}}},
            "response_format",
            JsonFormat({}, "n", True),
        ),
    ],
)
def test_parameters_reach_the_request(parameters: Json, field: str, value: object) -> None:
    assert getattr(read(**parameters).request, field) == value


def test_tools_in_a_namespace_and_tools_of_plain_text_become_functions() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /a+/"}
    patch = {"type": "custom", "name": "patch", "description": "Edits files.", "format": grammar}
    sky = {"type": "namespace", "name": "sky", "description": "", "tools": [WEATHER]}

    tools = read(tools=[patch, sky]).request.tools

    assert [tool.name for tool in tools] == ["patch", "sky__weather"]
    assert tools[0].parameters["required"] == ["input"]
    assert "start: /a+/" in tools[0].parameters["properties"]["input"]["description"]


@pytest.mark.parametrize(
    ("parameters", "beyond"),
    [
        ({"tools": [WEATHER, {"type": "web_search"}]}, ("tools.1",)),
        ({"include": ["message.output_text.logprobs"]}, ("include",)),
        ({"include": ["reasoning.encrypted_content"]}, ()),
        ({"text": {"verbosity": "low"}}, ("text.verbosity",)),
        ({"truncation": "auto", "background": True}, ("truncation", "background")),
        ({"store": True, "prompt_cache_key": "a", "truncation": "disabled", "background": False}, ()),
    ],
)
def test_what_no_other_vendor_has_a_word_for_is_named(parameters: Json, beyond: tuple[str, ...]) -> None:
    assert read(**parameters).beyond == beyond


@pytest.mark.parametrize(
    ("parameters", "named", "sentence"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "Send the whole conversation"),
        ({"conversation": "conv_1"}, "conversation", "Send the whole conversation"),
        ({"input": None}, "input", "at least one item"),
        ({"input": []}, "input", "at least one item"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input.0", "Send the item itself"),
        ({"input": [{"type": "computer_call"}]}, "input.0.type", "“computer_call” are not read here"),
        ({"input": [{"content": "Hi"}]}, "input.0.role", "is needed"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file"}]}]},
            "input.0.content.0.type",
            "“input_file” are not read here",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input.0.content.0.file_id",
            "no files are kept here",
        ),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice", "one function can be asked for"),
        ({"reasoning": "hard"}, "reasoning", "must be an object"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.json_schema", "a schema is needed"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(parameters: Json, named: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(**parameters)

    assert refusal.value.parameter == named
    assert sentence in refusal.value.message
