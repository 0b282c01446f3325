"""What a response answers, whole and as events in the documented order."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from app.providers.base import Thought, ToolCall
from app.providers.events import Event, FinishReason, ReasoningDelta, TextDelta, ThoughtEnded, ToolCallDelta
from app.v1.openai.responses import Responses
from app.v1.surface import Asked
from tests.v1.openai.streams import ANSWER, FAILURE, documents_in, events_in, said

RESPONSES = Responses()
EVENTS: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
PATCH = {"type": "custom", "name": "patch", "description": "Edits files."}
SKY = {"type": "namespace", "name": "sky", "description": "", "tools": [WEATHER]}


def asked(**parameters: Any) -> Asked:
    return RESPONSES.read({"model": "echo/echo", "input": "Hi", "stream": True} | parameters)


def kinds_of(stream: bytes) -> list[str]:
    return [event.name.removeprefix("response.") for event in events_in(stream)]


def output_of(stream: bytes) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = documents_in(stream)[-1]["response"]["output"]
    return output


def test_an_answer_comes_whole() -> None:
    thoughts = (Thought("Hm", "s1"),)
    calls = (ToolCall("c", "weather", ""),)
    given = asked(tools=[WEATHER], metadata={"a": "b"}, instructions="Be brief.")

    document = RESPONSES.whole(given, replace(ANSWER, text="4", thoughts=thoughts, tool_calls=calls))

    response = Response.model_validate(document)
    assert response.status == "completed"
    assert response.output_text == "4"
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert document["output"][2]["arguments"] == "{}"
    assert (response.instructions, response.metadata) == ("Be brief.", {"a": "b"})
    assert document["tools"] == [WEATHER]
    assert document["store"] is False
    assert response.usage is not None
    assert response.usage.total_tokens == 17


def test_what_comes_whole_can_be_sent_back() -> None:
    thoughts = (Thought("Hm", "s1"), Thought(redacted="xyz"))
    calls = (ToolCall("c", "patch", '{"input":"+ a"}'), ToolCall("d", "sky__weather", "{}"))
    answer = replace(ANSWER, text="4", thoughts=thoughts, tool_calls=calls)
    given = asked(tools=[PATCH, SKY])

    output = RESPONSES.whole(given, answer)["output"]
    (turn,) = asked(input=output).request.turns

    assert (turn.text, turn.thoughts, turn.tool_calls) == ("4", thoughts, calls)
    assert [item["type"] for item in output][-2:] == ["custom_tool_call", "function_call"]
    assert (output[-1]["namespace"], output[-1]["name"]) == ("sky", "weather")


def test_an_answer_that_reached_its_limit_is_incomplete() -> None:
    document = RESPONSES.whole(asked(), replace(ANSWER, text="4", finish=FinishReason.LENGTH))

    assert document["status"] == "incomplete"
    assert document["incomplete_details"] == {"reason": "max_output_tokens"}


def test_text_comes_in_the_documented_order() -> None:
    stream = said(RESPONSES, asked(), [TextDelta("Hel"), TextDelta("lo")])

    assert kinds_of(stream) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert output_of(stream)[0]["content"][0]["text"] == "Hello"


def test_thoughts_come_before_text_as_a_summary() -> None:
    events = [ReasoningDelta("Hm"), ThoughtEnded("s1"), ThoughtEnded(redacted="xyz"), TextDelta("4")]

    stream = said(RESPONSES, asked(), events)

    assert kinds_of(stream)[2:10] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "output_item.done",
    ]
    (turn,) = asked(input=output_of(stream)).request.turns
    assert turn.thoughts == (Thought("Hm", "s1"), Thought(redacted="xyz"))


def test_thoughts_without_an_end_end_where_the_text_begins() -> None:
    stream = said(RESPONSES, asked(), [ReasoningDelta("H"), ReasoningDelta("m"), TextDelta("4")])

    assert [item["type"] for item in output_of(stream)] == ["reasoning", "message"]


def test_calls_grow_side_by_side() -> None:
    events = [
        TextDelta("Let me see."),
        ToolCallDelta(0, "a", "weather"),
        ToolCallDelta(1, "b", "time"),
        ToolCallDelta(0, arguments="{}"),
    ]

    stream = said(RESPONSES, asked(tools=[WEATHER]), events, finish=FinishReason.TOOL_CALLS)

    assert kinds_of(stream)[5:] == [
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [item.get("arguments") for item in output_of(stream)] == [None, "{}", "{}"]


def test_what_goes_to_a_custom_tool_is_plain_text() -> None:
    events = [
        ToolCallDelta(0, "a", "patch"),
        ToolCallDelta(0, arguments='{"input": "+ '),
        ToolCallDelta(0, arguments='a"}'),
    ]

    stream = said(RESPONSES, asked(tools=[PATCH]), events)

    assert kinds_of(stream)[2:] == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "completed",
    ]
    assert output_of(stream)[0]["input"] == "+ a"


def test_an_answer_without_a_word_is_an_empty_message() -> None:
    stream = said(RESPONSES, asked(), [])

    assert output_of(stream)[0]["content"][0]["text"] == ""


def test_a_broken_stream_never_looks_whole() -> None:
    writer = RESPONSES.writer(asked(), ANSWER)

    stream = writer.feed(TextDelta("Hel")) + writer.failed(FAILURE)

    assert kinds_of(stream)[-1] == "failed"
    response = documents_in(stream)[-1]["response"]
    assert (response["status"], response["error"]["code"]) == ("failed", "server_error")
    assert response["output"][0]["status"] == "incomplete"


texts = st.text(min_size=1, max_size=5)
answers = st.lists(
    st.one_of(
        st.builds(TextDelta, texts),
        st.builds(ReasoningDelta, texts),
        st.builds(ThoughtEnded, st.sampled_from(["", "s1"])),
        st.builds(ThoughtEnded, st.just(""), st.just("xyz")),
        st.builds(ToolCallDelta, st.integers(0, 2), texts, st.sampled_from(["weather", "patch"]), texts),
    ),
    max_size=10,
)


@given(answers, st.sampled_from(FinishReason))
def test_whatever_comes_the_events_are_openais_and_tell_one_story(
    events: list[Event], finish: FinishReason
) -> None:
    stream = said(RESPONSES, asked(tools=[WEATHER, PATCH]), events, finish=finish)

    documents = documents_in(stream)
    for event, document in zip(events_in(stream), documents, strict=True):
        assert event.name == document["type"]
        # Strict but for the status of calls of custom tools, which OpenAI sends and its types leave out.
        EVENTS.validate_python(document)
    assert [document["sequence_number"] for document in documents] == list(range(len(documents)))
    added = [document["output_index"] for document in documents if document["type"].endswith("item.added")]
    assert added == list(range(len(added)))
    done = {
        document["output_index"]: document["item"]
        for document in documents
        if document["type"] == "response.output_item.done"
    }
    final = documents[-1]["response"]["output"]
    assert [done[index] for index in range(len(added))] == final
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert Response.model_validate(documents[-1]["response"]).output_text == text
