"""What Ollama's clients send is understood, or refused in a sentence that names the parameter."""

from base64 import b64encode
from typing import Any

import pytest

from app.providers.base import (
    EmbeddingRequest,
    Image,
    JsonFormat,
    Request,
    Role,
    Thought,
    Tool,
    ToolCall,
    Turn,
)
from app.v1.ollama.reading import chat_in, embedding_in, generation_in, old_embedding_in
from app.v1.surface import BadRequest

JPEG = b"\xff\xd8\xff and so on"
QUESTION = {"role": "user", "content": "Hello"}
CALL = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}


def chat_with(**parameters: Any) -> dict[str, Any]:
    return {"model": "workshop/qwen3", "messages": [QUESTION], **parameters}


def turns_in(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return chat_in(chat_with(messages=list(messages))).request.turns


def test_the_least_that_can_be_asked_is_streamed() -> None:
    asked = chat_in(chat_with())

    assert asked.request == Request("workshop/qwen3", (Turn(Role.USER, "Hello"),), streaming=True)
    assert asked.beyond == ()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"stream": False}, {"streaming": False}),
        ({"format": "json"}, {"response_format": JsonFormat()}),
        ({"format": ""}, {"response_format": None}),
        ({"format": {"type": "object"}}, {"response_format": JsonFormat({"type": "object"})}),
        ({"think": True}, {"reasoning_effort": "medium"}),
        ({"think": False}, {"reasoning_effort": "none"}),
        ({"think": "high"}, {"reasoning_effort": "high"}),
        (
            {"options": {"temperature": 1.3, "top_p": 0.5, "top_k": 3}},
            {"temperature": 1.3, "top_p": 0.5, "top_k": 3},
        ),
        ({"options": {"seed": 7, "stop": "END"}}, {"seed": 7, "stop": ("END",)}),
        ({"options": {"stop": ["a", "b"]}}, {"stop": ("a", "b")}),
        ({"options": {"num_predict": 50}}, {"max_output_tokens": 50}),
        ({"options": {"num_predict": -1}}, {"max_output_tokens": None}),
        (
            {"options": {"presence_penalty": 0.1, "frequency_penalty": 0.2}},
            {"presence_penalty": 0.1, "frequency_penalty": 0.2},
        ),
        (
            {
                "tools": [
                    {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
                ]
            },
            {"tools": (Tool("clock", "", {"type": "object"}),)},
        ),
    ],
)
def test_each_parameter_finds_its_place(parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    request = chat_in(chat_with(**parameters)).request

    assert {name: getattr(request, name) for name in expected} == expected


def test_images_and_thoughts_are_read() -> None:
    shown = {"role": "user", "content": "What is it?", "images": [b64encode(JPEG).decode()]}
    answered = {"role": "assistant", "content": "A cat", "thinking": "Whiskers"}

    assert turns_in(shown, answered) == (
        Turn(Role.USER, "What is it?", (Image("image/jpeg", JPEG),)),
        Turn(Role.ASSISTANT, "A cat", thoughts=(Thought("Whiskers"),)),
    )


def test_results_find_the_calls_that_they_answer() -> None:
    """Ollama's own library sends no ids, only the names of tools."""
    clock = {"function": {"name": "clock", "arguments": {}}}
    turns = turns_in(
        QUESTION,
        {"role": "assistant", "content": "", "tool_calls": [CALL, clock, CALL]},
        {"role": "tool", "content": "Noon", "tool_name": "clock"},
        {"role": "tool", "content": "Rain", "tool_name": "weather"},
        {"role": "tool", "content": "Sun"},
    )

    assert turns[1].tool_calls == (
        ToolCall("call_0", "weather", '{"city":"Oslo"}'),
        ToolCall("call_1", "clock", "{}"),
        ToolCall("call_2", "weather", '{"city":"Oslo"}'),
    )
    assert [(turn.text, turn.tool_call_id) for turn in turns[2:]] == [
        ("Noon", "call_1"),
        ("Rain", "call_0"),
        ("Sun", "call_2"),
    ]


def test_ids_are_kept_where_there_are_some() -> None:
    turns = turns_in(
        {"role": "assistant", "tool_calls": [{"id": "x", **CALL}]},
        {"role": "tool", "content": "Rain", "tool_call_id": "x"},
    )

    assert turns[0].tool_calls[0].id == turns[1].tool_call_id == "x"


def test_a_single_prompt_is_a_short_conversation() -> None:
    asked = generation_in(
        {
            "model": "m",
            "prompt": "Why?",
            "system": "Be brief.",
            "images": [b64encode(JPEG).decode()],
            "context": [],
            "keep_alive": "5m",
        }
    )

    assert asked.request.turns == (
        Turn(Role.SYSTEM, "Be brief."),
        Turn(Role.USER, "Why?", (Image("image/jpeg", JPEG),)),
    )
    assert asked.beyond == ()


@pytest.mark.parametrize(
    ("parameters", "beyond"),
    [
        ({"raw": True}, ("raw",)),
        ({"suffix": "}"}, ("suffix",)),
        ({"template": "{{ .Prompt }}", "context": [1, 2]}, ("template", "context")),
        ({"options": {"mirostat": 1, "num_gpu": 2}}, ("options.mirostat",)),
        ({"logprobs": False}, ()),
    ],
)
def test_what_only_ollama_can_do_is_named(parameters: dict[str, Any], beyond: tuple[str, ...]) -> None:
    assert generation_in({"model": "m", "prompt": "Why?", **parameters}).beyond == beyond


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "developer", "content": ""}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": ["Hello"]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "images": ["%"]}]}, "messages.0.images.0"),
        ({"messages": [{"role": "tool", "content": "Rain"}]}, "messages.0.tool_name"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages.0.tool_calls.0.function"),
        ({"format": "xml"}, "format"),
        ({"format": 7}, "format"),
        ({"think": "hard"}, "think"),
        ({"think": 1}, "think"),
        ({"options": {"temperature": "hot"}}, "options.temperature"),
        ({"options": [1]}, "options"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
    ],
)
def test_what_does_not_fit_is_named(parameters: dict[str, Any], parameter: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        chat_in(chat_with(**parameters))

    assert refusal.value.parameter == parameter


def test_nothing_to_say_is_no_way_to_load_a_model() -> None:
    with pytest.raises(BadRequest, match="Administration → Models"):
        generation_in({"model": "m", "prompt": ""})


@pytest.mark.parametrize(("given", "texts"), [("one", ("one",)), (["one", "two"], ("one", "two"))])
def test_texts_for_vectors(given: object, texts: tuple[str, ...]) -> None:
    assert embedding_in({"model": "m", "input": given, "dimensions": 8}) == EmbeddingRequest("m", texts, 8)


def test_a_text_for_a_vector_as_it_was_asked_before() -> None:
    assert old_embedding_in({"model": "m", "prompt": "one"}) == EmbeddingRequest("m", ("one",))


@pytest.mark.parametrize("given", [None, "", [], ["one", ""], [1, 2]])
def test_vectors_are_made_of_texts_only(given: object) -> None:
    with pytest.raises(BadRequest) as refusal:
        embedding_in({"model": "m", "input": given})

    assert refusal.value.parameter == "input"
