"""Answers in Ollama's words, as its own library reads them."""

import json
from collections.abc import Iterable

import pytest
from ollama import ChatResponse, GenerateResponse

from app.providers.base import Thought, ToolCall
from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.v1.ollama.surfaces import CHAT, GENERATION, Lines
from app.v1.surface import Answer, Failure

USAGE = Usage(input=30, output=12)
CALLS = (ToolCall("c1", "weather", '{"city":"Oslo"}'), ToolCall("c2", "clock", ""))


def answer_with(**parts: object) -> Answer:
    return Answer("0123", "workshop/qwen3", 1_700_000_000, **parts)  # type: ignore[arg-type]


def lines(surface: Lines, events: Iterable[Event], **parts: object) -> list[dict[str, object]]:
    writer = surface.writer(None, answer_with())  # type: ignore[arg-type]
    body = b"".join(writer.feed(event) for event in events) + writer.end(answer_with(**parts))
    return [json.loads(line) for line in body.splitlines()]


def test_a_whole_answer() -> None:
    answer = answer_with(
        text="Rain.", thoughts=(Thought("Hm"),), tool_calls=CALLS, usage=USAGE, total_ms=1500
    )

    told = ChatResponse.model_validate(CHAT.whole(None, answer))  # type: ignore[arg-type]

    assert told.created_at == "2023-11-14T22:13:20.000000Z"
    assert told.message.content == "Rain."
    assert told.message.thinking == "Hm"
    assert [(call.function.name, call.function.arguments) for call in told.message.tool_calls or []] == [
        ("weather", {"city": "Oslo"}),
        ("clock", {}),
    ]
    assert (told.done, told.done_reason) == (True, "stop")
    assert (told.prompt_eval_count, told.eval_count) == (30, 12)
    assert told.total_duration == 1_500_000_000


def test_a_whole_answer_to_a_prompt() -> None:
    answer = answer_with(text="Rain.", finish=FinishReason.LENGTH)

    told = GenerateResponse.model_validate(GENERATION.whole(None, answer))  # type: ignore[arg-type]

    assert told.response == "Rain."
    assert told.thinking is None
    assert told.done_reason == "length"


def test_a_stream_says_a_line_for_each_piece() -> None:
    events = [
        ReasoningDelta("Hm"),
        TextDelta("Hel"),
        TextDelta('lo "☔"\n'),
        UsageReport(USAGE),
        Finished(FinishReason.STOP),
    ]

    told = [ChatResponse.model_validate(line) for line in lines(CHAT, events, usage=USAGE, total_ms=20)]

    assert [(line.message.thinking, line.message.content, line.done) for line in told] == [
        ("Hm", "", False),
        (None, "Hel", False),
        (None, 'lo "☔"\n', False),
        (None, "", True),
    ]
    assert told[-1].eval_count == 12
    assert told[-1].eval_duration == 20_000_000


def test_tools_are_called_before_the_end() -> None:
    events = [ToolCallDelta(0, "c1", "weather", '{"city":'), ToolCallDelta(0, arguments='"Oslo"}')]

    call, ending = lines(CHAT, events, tool_calls=CALLS[:1], finish=FinishReason.TOOL_CALLS)

    assert call["message"] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "c1", "function": {"index": 0, "name": "weather", "arguments": {"city": "Oslo"}}}
        ],
    }
    assert (call["done"], ending["done"], ending["done_reason"]) == (False, True, "stop")


def test_a_stream_of_a_prompt() -> None:
    told = lines(GENERATION, [ReasoningDelta("Hm"), TextDelta("Yes")])

    assert [(line["response"], line.get("thinking")) for line in told] == [
        ("", "Hm"),
        ("Yes", None),
        ("", None),
    ]


@pytest.mark.parametrize("surface", [CHAT, GENERATION])
def test_a_failure_is_one_sentence_and_never_done(surface: Lines) -> None:
    failure = Failure(502, "broken_off", "The answer broke off.")
    writer = surface.writer(None, answer_with())  # type: ignore[arg-type]

    assert json.loads(writer.failed(failure)) == {"error": "The answer broke off."}
    assert surface.error(failure) == {"error": "The answer broke off."}
