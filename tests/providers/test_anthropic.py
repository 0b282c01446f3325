import orjson
import pytest

from app.providers.anthropic import Anthropic
from app.providers.base import Image, JsonFormat, ModelInfo, Request, Role, Tool, ToolCall, Turn
from app.providers.errors import BrokenOff, ContextTooLong, Overloaded, RequestRefused
from app.providers.events import Finished, FinishReason, ReasoningDelta, ThoughtEnded, Usage
from tests.providers.fake_server import FakeServer, transcript
from tests.providers.reading import endpoint, hear, question

WEATHER = Tool("weather", "Tells the weather.", {"type": "object"})


@pytest.fixture
def provider(server: FakeServer) -> Anthropic:
    return Anthropic(endpoint(server.url, key="sk-ant-0123456789"))


async def test_an_answer_streams_with_thoughts_and_the_whole_cost(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/answer")

    heard = await hear(provider.stream(question()))

    assert (heard.reasoning, heard.text) == ("They greet me.", "Grüße, 世界 🌍!")
    assert heard.usage == Usage(input=420, output=25, cache_read=300, cache_write=100, reasoning=6)
    assert heard.reason is FinishReason.STOP


async def test_the_request_is_placed_as_the_vendor_wants_it(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/answer")

    await hear(provider.stream(question("Hi")))

    [request] = server.received
    assert request.path == "/v1/messages"
    assert request.headers["x-api-key"] == "sk-ant-0123456789"
    assert request.headers["anthropic-version"] == "2026-10-21"
    assert request.json == {
        "model": "a-model",
        "max_tokens": 16_384,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "stream": True,
        "system": "Be brief.",
    }


async def test_a_temperature_is_sent_under_the_version_that_knows_one(
    server: FakeServer, provider: Anthropic
):
    server.plays("anthropic/refuses_temperature", "anthropic/answer")

    heard = await hear(provider.stream(question(temperature=1.4, is_lenient=True)))

    first, second = server.received
    assert first.headers["anthropic-version"] == "2023-06-01"
    assert first.json["temperature"] == 1.0
    assert "temperature" not in second.json
    assert heard.reason is FinishReason.STOP


async def test_turns_alternate_and_are_never_empty(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/answer")
    turns = (
        Turn(Role.SYSTEM, "Be brief."),
        Turn(Role.ASSISTANT, "Welcome. "),
        Turn(Role.USER, "Look:", images=(Image("image/png", b"\x89PNG"),)),
        Turn(Role.USER, "And tell."),
        Turn(Role.ASSISTANT, "", tool_calls=(ToolCall("toolu_a", "weather", '{"city": "Oslo"}'),)),
        Turn(Role.TOOL, "Rain", tool_call_id="toolu_a"),
        Turn(Role.USER, ""),
        Turn(Role.USER, "Thanks."),
    )

    await hear(provider.stream(Request("a-model", turns, tools=(WEATHER,))))

    sent = server.received[0].json
    assert sent["system"] == "Be brief."
    assert sent["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "(The conversation began earlier.)"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Welcome. "}]},
        {
            "role": "user",
            "content": [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="},
                },
                {"type": "text", "text": "Look:"},
                {"type": "text", "text": "And tell."},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "toolu_a", "name": "weather", "input": {"city": "Oslo"}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_a", "content": "Rain"},
                {"type": "text", "text": "Thanks."},
            ],
        },
    ]
    assert sent["tools"] == [
        {"name": "weather", "description": "Tells the weather.", "input_schema": {"type": "object"}}
    ]


async def test_tool_calls_are_numbered_among_themselves(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/tool_calls")

    heard = await hear(provider.stream(question()))

    assert heard.text == "Let me look."
    assert heard.calls == [
        ToolCall("toolu_a", "weather", '{"city": "Köln"}'),
        ToolCall("toolu_b", "weather", '{"city": "Oslo"}'),
    ]
    assert heard.reason is FinishReason.TOOL_CALLS


async def test_an_answer_may_come_whole(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/whole")

    heard = await hear(provider.stream(question(streaming=False)))

    assert (heard.reasoning, heard.text) == ("They greet me.", "Grüße!")
    assert heard.calls == [ToolCall("toolu_a", "weather", '{"city":"Köln"}')]
    assert heard.usage == Usage(input=320, output=25, cache_read=300)
    assert heard.reason is FinishReason.TOOL_CALLS


async def test_thoughts_end_with_what_proves_that_they_are_its_own(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/thoughts")

    heard = await hear(provider.stream(question()))

    about_thoughts = [event for event in heard.events if isinstance(event, ReasoningDelta | ThoughtEnded)]
    assert about_thoughts == [
        ReasoningDelta("First"),
        ReasoningDelta(" one."),
        ThoughtEnded(signature="EqQBCgIY"),
        ThoughtEnded(redacted="EmwKAhgBEgy3va3p"),
        ThoughtEnded(signature="EpID"),
    ]
    assert heard.calls == [ToolCall("toolu_a", "weather", '{"city": "Oslo"}')]


async def test_which_stop_sequence_it_was_is_told(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/stopped")

    heard = await hear(provider.stream(question(stop=("three",))))

    assert heard.events[-1] == Finished(FinishReason.STOP, "three")


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_json_that_a_tool_was_given_is_the_answer(
    server: FakeServer, provider: Anthropic, is_streamed: bool
):
    server.plays("anthropic/json_by_tool" if is_streamed else "anthropic/whole_json_by_tool")

    heard = await hear(provider.stream(question(response_format=JsonFormat(), streaming=is_streamed)))

    assert orjson.loads(heard.text) == {"city": "Köln"}
    assert (heard.calls, heard.reason) == ([], FinishReason.STOP)


async def test_a_model_without_formats_is_asked_by_way_of_a_tool(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/refuses_formats", "anthropic/json_by_tool")
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}

    heard = await hear(provider.stream(question(response_format=JsonFormat(schema))))

    by_format, by_tool = (request.json for request in server.received)
    assert by_format["output_config"]["format"]["schema"] == schema
    assert "output_config" not in by_tool
    assert by_tool["tools"][0]["input_schema"] == schema
    assert heard.text == '{"city": "Köln"}'


async def test_a_budget_becomes_an_effort_for_a_model_that_knows_no_budgets(
    server: FakeServer, provider: Anthropic
):
    server.plays("anthropic/refuses_budgets", "anthropic/answer")

    await hear(provider.stream(question(thinking_budget=9_000, max_output_tokens=20_000)))

    by_budget, by_effort = (request.json for request in server.received)
    assert by_budget["thinking"] == {"type": "enabled", "budget_tokens": 9_000}
    assert by_effort["thinking"]["type"] == "adaptive"
    assert by_effort["output_config"] == {"effort": "high"}


async def test_who_insists_on_thoughts_is_not_answered_without(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/refuses_adaptive_thinking", "anthropic/refuses_thinking")

    with pytest.raises(RequestRefused, match="does not support thinking") as raised:
        await hear(provider.stream(question(reasoning_effort="high")))
    assert raised.value.parameter == "reasoning_effort"
    assert len(server.received) == 2


async def test_what_a_client_insists_on_is_refused_with_a_way_out(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/refuses_temperature")

    with pytest.raises(RequestRefused, match="x-parley-drop-unsupported: true") as raised:
        await hear(provider.stream(question(temperature=0.5)))
    assert raised.value.parameter == "temperature"


async def test_an_overload_in_mid_stream_keeps_its_name(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/overloaded_in_stream")

    with pytest.raises(Overloaded, match="Anthropic is overloaded"):
        await hear(provider.stream(question()))


async def test_an_overload_at_the_start_of_a_stream_is_tried_again(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/overloaded_at_once", "anthropic/overloaded", "anthropic/answer")

    heard = await hear(provider.stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"
    assert len(server.received) == 3


async def test_a_cost_that_comes_before_the_first_token_does_not_count_as_one(
    server: FakeServer, provider: Anthropic
):
    story = transcript("anthropic/overloaded_in_stream")
    start, _, rest = story.body.partition(b"event: content_block_start")
    error = rest[rest.index(b"event: error") :]
    server.plays(story.but(body=start + error), "anthropic/answer")

    heard = await hear(provider.stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"
    assert heard.usage == Usage(input=420, output=25, cache_read=300, cache_write=100, reasoning=6)


async def test_a_stream_without_its_stop_was_broken_off(server: FakeServer, provider: Anthropic):
    server.plays(transcript("anthropic/answer").without_end(b"event: message_delta"))

    with pytest.raises(BrokenOff):
        await hear(provider.stream(question()))


async def test_thinking_is_asked_for_in_the_way_that_the_model_knows(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/refuses_adaptive_thinking", "anthropic/refuses_thinking", "anthropic/answer")

    asked = question(reasoning_effort="high", max_output_tokens=10_000, temperature=0.5, is_lenient=True)

    await hear(provider.stream(asked))

    by_effort, by_budget, without = (request.json for request in server.received)
    assert by_effort["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert by_effort["output_config"] == {"effort": "high"}
    assert "temperature" not in by_effort
    assert by_budget["thinking"] == {"type": "enabled", "budget_tokens": 5_000}
    assert by_budget["max_tokens"] == 10_000
    assert "thinking" not in without


async def test_thinking_can_be_switched_off(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/answer")

    await hear(provider.stream(question(reasoning_effort="none", temperature=0.5)))

    assert server.received[0].json["thinking"] == {"type": "disabled"}
    assert server.received[0].json["temperature"] == 0.5


async def test_a_model_that_writes_less_is_asked_for_less(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/refuses_max_tokens", "anthropic/answer")

    await hear(provider.stream(question()))

    assert server.received[1].json["max_tokens"] == 8_192


@pytest.mark.parametrize(("story", "excess"), [("too_long", 15_023), ("too_long_with_answer", 10_000)])
async def test_a_conversation_that_is_too_long_is_told_by_how_much(
    server: FakeServer, provider: Anthropic, story: str, excess: int
):
    server.plays(f"anthropic/{story}")

    with pytest.raises(ContextTooLong) as raised:
        await hear(provider.stream(question()))
    assert raised.value.excess == excess
    assert f"{excess:,} tokens too long" in str(raised.value)


async def test_the_list_is_read_page_by_page(server: FakeServer, provider: Anthropic):
    server.plays("anthropic/models", "anthropic/models_second_page")

    models = await provider.list_models()

    assert models == [
        ModelInfo(
            "claude-sonnet-4-5",
            "Claude Sonnet 4.5",
            context_window=200_000,
            max_output_tokens=64_000,
            vision=True,
            tools=True,
            reasoning=True,
            embeddings=False,
        ),
        ModelInfo(
            "claude-3-5-haiku",
            "Claude Haiku 3.5",
            context_window=200_000,
            max_output_tokens=8_192,
            vision=True,
            tools=True,
            reasoning=False,
            embeddings=False,
        ),
    ]
    assert server.received[1].query == {"limit": "1000", "after_id": "claude-sonnet-4-5"}
