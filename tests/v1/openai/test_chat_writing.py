"""What a chat completion answers, whole and in pieces."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from app.providers.openai_answers import ChunkReader
from app.v1.openai.chat import ChatCompletions
from app.v1.surface import Asked
from tests.v1.openai.streams import ANSWER, FAILURE, documents_in, events_in, said

CHAT = ChatCompletions()
PLAIN: dict[str, Any] = {
    "model": "echo/echo",
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
}


def asked(**parameters: Any) -> Asked:
    return CHAT.read(PLAIN | parameters)


def deltas_of(stream: bytes) -> list[dict[str, Any]]:
    return [choice["delta"] for document in documents_in(stream) for choice in document["choices"]]


def test_an_answer_comes_whole() -> None:
    document = CHAT.whole(asked(), replace(ANSWER, text="Hello."))

    assert document == {
        "id": "chatcmpl-0abc",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": "echo/echo",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 5,
            "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    }


def test_a_whole_answer_of_calls_has_no_content_and_arguments_that_parse() -> None:
    calls = (ToolCall("a", "weather", '{"in": "Rome"}'), ToolCall("b", "time", ""))

    document = CHAT.whole(asked(), replace(ANSWER, tool_calls=calls, finish=FinishReason.TOOL_CALLS))

    choice = document["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert [call["function"]["arguments"] for call in choice["message"]["tool_calls"]] == [
        '{"in": "Rome"}',
        "{}",
    ]


def test_thoughts_are_said_and_their_seals_kept() -> None:
    thoughts = (Thought("Hm", "s1"), Thought(redacted="xyz"))

    message = CHAT.whole(asked(), replace(ANSWER, text="4", thoughts=thoughts))["choices"][0]["message"]
    turn = CHAT.read(PLAIN | {"messages": [message]}).request.turns[0]

    assert message["reasoning_content"] == "Hm"
    assert turn.thoughts == thoughts


def test_a_stream_begins_with_the_role_and_ends_with_done() -> None:
    stream = said(CHAT, asked(), [TextDelta("Hel"), TextDelta("lo"), Finished(FinishReason.STOP)])

    assert deltas_of(stream) == [
        {"role": "assistant", "content": ""},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert [document["choices"][0]["finish_reason"] for document in documents_in(stream)] == [
        None,
        None,
        None,
        "stop",
    ]
    assert events_in(stream)[-1].data == "[DONE]"


def test_usage_comes_in_a_chunk_of_its_own_and_only_when_asked_for() -> None:
    events: list[Event] = [TextDelta("Hi"), UsageReport(Usage(12, 5))]

    silent = documents_in(said(CHAT, asked(), events))
    told = documents_in(said(CHAT, asked(stream_options={"include_usage": True}), events))

    assert all("usage" not in document for document in silent)
    assert told[-1]["choices"] == []
    assert told[-1]["usage"]["total_tokens"] == 17


def test_calls_grow_side_by_side_and_each_has_arguments() -> None:
    events = [
        ToolCallDelta(0, "a", "weather"),
        ToolCallDelta(1, "b", "time"),
        ToolCallDelta(0, arguments='{"in": '),
        ToolCallDelta(0, arguments='"Rome"}'),
    ]

    deltas = deltas_of(said(CHAT, asked(), events, finish=FinishReason.TOOL_CALLS))

    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert calls[0] == {
        "index": 0,
        "function": {"arguments": "", "name": "weather"},
        "id": "a",
        "type": "function",
    }
    assert calls[2:] == [
        {"index": 0, "function": {"arguments": '{"in": '}},
        {"index": 0, "function": {"arguments": '"Rome"}'}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]


def test_a_seal_follows_the_thought_that_it_is_of() -> None:
    events = [
        ReasoningDelta("H"),
        ReasoningDelta("m"),
        ThoughtEnded("s1"),
        ThoughtEnded(redacted="xyz"),
        TextDelta("4"),
    ]

    deltas = deltas_of(said(CHAT, asked(), events))

    assert deltas[1:5] == [
        {"reasoning_content": "H"},
        {"reasoning_content": "m"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "Hm", "signature": "s1"}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "xyz"}]},
    ]


def test_a_broken_stream_never_looks_whole() -> None:
    writer = CHAT.writer(asked(), ANSWER)

    stream = writer.feed(TextDelta("Hel")) + writer.failed(FAILURE)

    assert documents_in(stream)[-1] == {
        "error": {
            "message": FAILURE.message,
            "type": "server_error",
            "param": None,
            "code": "broken_off",
        }
    }
    assert b"[DONE]" not in stream


texts = st.text(min_size=1)
answers = st.lists(
    st.one_of(
        st.builds(TextDelta, texts),
        st.builds(ReasoningDelta, texts),
        st.builds(ThoughtEnded, st.sampled_from(["", "s1"])),
        st.builds(ToolCallDelta, st.integers(0, 3), arguments=texts),
    ),
    max_size=12,
)


@given(answers)
def test_what_we_say_to_a_client_we_understand_from_a_provider(events: list[Event]) -> None:
    named = list(_named(events))
    stream = said(CHAT, asked(), named)
    reader = ChunkReader()

    read = [event for document in documents_in(stream) for event in reader.read(document)]
    read += reader.end()

    assert _joined(read) == _joined(named)


@pytest.mark.parametrize("text", ['"quoted"\n\n', "\u2028 ✓ 🦉", "data: [DONE]"])
def test_text_of_any_kind_stays_one_event(text: str) -> None:
    assert deltas_of(said(CHAT, asked(), [TextDelta(text)]))[1] == {"content": text}


def _named(events: list[Event]) -> Any:
    """Each call's first piece says its id and name."""
    seen: set[int] = set()
    for event in events:
        if isinstance(event, ToolCallDelta) and event.index not in seen:
            seen.add(event.index)
            yield replace(event, id=f"call-{event.index}", name="weather")
        else:
            yield event


def _joined(events: list[Event]) -> Any:
    """What an answer says, however it is cut."""
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    calls: dict[int, str] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            calls[event.index] = calls.get(event.index, event.id or "") + event.arguments
    return text, thought, orjson.dumps(sorted(calls.items()))
