"""Answers in Anthropic's words, as its own library reads them."""

import json
from collections.abc import Iterable

import anthropic
import httpx2
import pytest
from anthropic.types import Message

from app.providers.base import Thought, ToolCall
from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ThoughtEnded,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.v1.anthropic.messages import Messages
from app.v1.anthropic.writing import MessageWriter
from app.v1.surface import Answer, Failure

ANSWER = Answer("0123", "claude/sonnet", 1_700_000_000)
USAGE = Usage(input=30, output=12, cache_read=20, cache_write=5, reasoning=4)
BROKEN_OFF = Failure(502, "broken_off", "The answer broke off.", request_id="r1")


def whole(**parts: object) -> Message:
    """The whole answer, as the library understands it."""
    answer = Answer("0123", "claude/sonnet", 1_700_000_000, **parts)  # type: ignore[arg-type]
    document = Messages().whole(None, answer)  # type: ignore[arg-type]
    return Message.model_validate_json(json.dumps(document), strict=True)


def streamed(events: Iterable[Event], **parts: object) -> bytes:
    writer = MessageWriter(ANSWER)
    body = b"".join(writer.feed(event) for event in events)
    return body + writer.end(Answer("0123", "claude/sonnet", 1_700_000_000, **parts))  # type: ignore[arg-type]


def read_back(body: bytes) -> Message:
    """What the library makes of a stream."""
    headers = {"content-type": "text/event-stream", "request-id": "r1"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=body, headers=headers))
    client = anthropic.Anthropic(
        api_key="k",
        base_url="http://parley.test",
        http_client=httpx2.Client(transport=transport),
        max_retries=0,
    )
    question = {"role": "user", "content": "Hello"}
    with client.messages.stream(model="m", max_tokens=9, messages=[question]) as stream:  # type: ignore[list-item]
        return stream.get_final_message()  # type: ignore[no-any-return]


def types_in(body: bytes) -> list[str]:
    return [line.removeprefix("event: ") for line in body.decode().splitlines() if line.startswith("event: ")]


def test_a_whole_answer_holds_every_block() -> None:
    message = whole(
        text="Rain.",
        thoughts=(Thought("Hm", "s1"), Thought(redacted="d1")),
        tool_calls=(ToolCall("t1", "weather", '{"city":"Oslo"}'),),
        finish=FinishReason.TOOL_CALLS,
        usage=USAGE,
    )

    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "Hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "d1"},
        {"type": "text", "text": "Rain."},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}},
    ]
    assert message.id == "msg_0123"
    assert message.stop_reason == "tool_use"


def test_what_came_from_a_cache_is_counted_beside_the_input() -> None:
    usage = whole(usage=USAGE).usage

    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (
        5,
        20,
        5,
    )
    assert usage.output_tokens == 12
    assert usage.output_tokens_details is not None
    assert usage.output_tokens_details.thinking_tokens == 4


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, "end_turn"),
        ({"stop_sequence": "END"}, "stop_sequence"),
        ({"finish": FinishReason.LENGTH}, "max_tokens"),
        ({"finish": FinishReason.CONTENT_FILTER}, "refusal"),
        ({"tool_calls": (ToolCall("t1", "weather", ""),)}, "tool_use"),
    ],
)
def test_why_it_ended(parts: dict[str, object], reason: str) -> None:
    assert whole(**parts).stop_reason == reason
    assert read_back(streamed([], **parts)).stop_reason == reason


def test_arguments_that_are_no_object_are_not_lost() -> None:
    [call] = whole(tool_calls=(ToolCall("t1", "weather", '{"city": Oslo'),)).content

    assert call.to_dict()["input"] == {"INVALID_JSON": '{"city": Oslo'}


def test_a_stream_says_its_events_in_the_documented_order() -> None:
    body = streamed([TextDelta("Hel"), TextDelta("lo"), UsageReport(USAGE), Finished(FinishReason.STOP)])

    assert types_in(body) == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_stream_is_read_back_whole() -> None:
    events = [
        UsageReport(Usage(input=30, output=0)),
        ReasoningDelta("Let me "),
        ReasoningDelta("see"),
        ThoughtEnded(signature="s1"),
        ThoughtEnded(redacted="d1"),
        TextDelta('Look: "'),
        TextDelta("☔\n"),
        ToolCallDelta(0, "t1", "weather"),
        ToolCallDelta(0, arguments='{"city":'),
        ToolCallDelta(0, arguments='"Oslo"}'),
        ToolCallDelta(1, "t2", "clock", "{}"),
    ]

    message = read_back(streamed(events, finish=FinishReason.TOOL_CALLS, usage=USAGE))

    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "Let me see", "signature": "s1"},
        {"type": "redacted_thinking", "data": "d1"},
        {"type": "text", "text": 'Look: "☔\n'},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "t2", "name": "clock", "input": {}},
    ]
    assert message.stop_reason == "tool_use"
    assert message.usage.input_tokens == 5
    assert message.usage.output_tokens == 12


def test_calls_whose_pieces_mix_keep_their_arguments() -> None:
    events = [
        ToolCallDelta(0, "t1", "weather", '{"city":'),
        ToolCallDelta(1, "t2", "clock", '{"zone":'),
        ToolCallDelta(0, arguments='"Oslo"}'),
        ToolCallDelta(1, arguments='"CET"}'),
    ]

    message = read_back(streamed(events))

    assert [block.to_dict()["input"] for block in message.content] == [{"city": "Oslo"}, {"zone": "CET"}]


def test_thoughts_that_nobody_signed_are_shown_all_the_same() -> None:
    message = read_back(streamed([ReasoningDelta("Hm"), TextDelta("Yes")]))

    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "Hm", "signature": ""},
        {"type": "text", "text": "Yes"},
    ]


def test_a_thought_that_is_not_told_keeps_its_signature() -> None:
    [thought, _] = read_back(streamed([ThoughtEnded(signature="s1"), TextDelta("Yes")])).content

    assert thought.to_dict() == {"type": "thinking", "thinking": "", "signature": "s1"}


def test_a_stream_that_breaks_ends_with_an_error() -> None:
    writer = MessageWriter(ANSWER)
    body = writer.feed(TextDelta("Hel")) + writer.failed(BROKEN_OFF)

    with pytest.raises(anthropic.APIStatusError, match="The answer broke off"):
        read_back(body)
    assert types_in(body)[-1] == "error"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_request", "invalid_request_error"),
        (401, "invalid_api_key", "authentication_error"),
        (403, "scope_missing", "permission_error"),
        (404, "model_not_found", "not_found_error"),
        (413, "too_large", "request_too_large"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (429, "budget_exceeded", "billing_error"),
        (503, "overloaded", "overloaded_error"),
        (502, "not_reachable", "api_error"),
        (504, "timed_out", "timeout_error"),
        (500, "internal_error", "api_error"),
    ],
)
def test_each_failure_has_its_type(status: int, code: str, kind: str) -> None:
    document = Messages().error(Failure(status, code, "No.", request_id="r1"))

    assert document == {
        "type": "error",
        "error": {"type": kind, "message": "No.", "code": code},
        "request_id": "r1",
    }
