import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.providers.base import Image, JsonFormat, Request, Role, Timeouts, Tool, ToolCall, ToolUse, Turn
from app.providers.echo import Echo
from app.providers.echo_json import example_of
from app.providers.echo_script import NOTICE
from app.providers.errors import BY_CODE, BrokenOff, ModelGone, ProviderError, TimedOut
from app.providers.events import Finished, FinishReason, ThoughtEnded, Usage
from tests.providers.reading import Heard, endpoint, hear, question


async def told(text: str, *, model: str = "echo-fast", **more: object) -> Heard:
    return await hear(Echo(endpoint("")).stream(question(text, model=model, **more)))


async def listen(text: str, heard: Heard, provider: Echo | None = None) -> None:
    async for event in (provider or Echo(endpoint(""))).stream(question(text, model="echo-fast")):
        heard.take(event)


async def test_it_says_back_what_it_was_told_word_by_word():
    heard = await told("Hello,  dear\n\nworld!\n")

    assert heard.text == "Hello,  dear\n\nworld!\n"
    assert len(heard.events) == 6
    assert heard.usage == Usage(input=6, output=4)
    assert heard.reason is FinishReason.STOP


async def test_the_usual_model_says_that_it_is_no_ai():
    heard = await told("Hello", model="echo")

    assert heard.text == "Hello" + NOTICE


async def test_it_answers_the_newest_question():
    turns = (Turn(Role.USER, "One"), Turn(Role.ASSISTANT, "One"), Turn(Role.USER, "Two"))

    heard = await hear(Echo(endpoint("")).stream(Request("echo-fast", turns)))

    assert heard.text == "Two"
    assert heard.usage == Usage(input=3, output=1)


async def test_it_mentions_the_images_it_was_shown():
    turn = Turn(Role.USER, "Look", images=(Image("image/png", b"123"),))

    heard = await hear(Echo(endpoint("")).stream(Request("echo-fast", (turn,))))

    assert heard.text == "Look\n\n[image/png, 3 bytes]"


async def test_directives_stand_at_the_start_and_may_follow_one_another():
    heard = await told("/think /long 3 Hello /think")

    assert heard.reasoning.startswith("Somebody said something.")
    assert heard.text == "Hello /think And so it"


async def test_it_writes_markdown():
    heard = await told("/markdown Hello")

    assert heard.text.startswith("Hello\n\n## A heading")
    assert "```python" in heard.text


async def test_a_limit_is_kept():
    heard = await told("one two three", max_output_tokens=2)

    assert (heard.text, heard.reason) == ("one two", FinishReason.LENGTH)


@pytest.mark.parametrize("code", BY_CODE)
async def test_it_fails_like_a_provider_would(code: str):
    with pytest.raises(ProviderError) as raised:
        await told(f"/fail {code} Hello")
    assert raised.value.code == code


async def test_it_breaks_off_half_way():
    heard = Heard()

    with pytest.raises(BrokenOff):
        await listen("/break one two three four", heard)
    assert heard.text == "one two"


async def test_it_stalls_until_it_is_stopped():
    heard = Heard()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listen("/stall one two", heard), 0.05)
    assert heard.text == "one"


async def test_patience_with_its_silence_ends():
    heard = Heard()
    provider = Echo(endpoint("", timeouts=Timeouts(idle=0.02)))

    with pytest.raises(TimedOut):
        await listen("/stall one two", heard, provider)
    assert heard.text == "one"


async def test_a_directive_without_its_argument_is_only_text():
    assert (await told("/fail")).text == "/fail"
    assert (await told("/long story")).text == "/long story"
    assert (await told("/unknown thing")).text == "/unknown thing"


async def test_it_has_only_its_own_models():
    assert [model.name for model in await Echo(endpoint("")).list_models()] == [
        "echo",
        "echo-fast",
        "echo-slow",
    ]
    with pytest.raises(ModelGone):
        await told("Hello", model="gpt-4o")


# Tools and JSON

WEATHER = Tool(
    "weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}
)
CLOCK = Tool("clock", "Tells the time.", {"type": "object", "properties": {"hours": {"type": "integer"}}})
BOTH = (WEATHER, CLOCK)


async def test_it_calls_the_tools_that_it_is_told_to():
    heard = await told('/tool weather {"city": "Köln"} /tool clock Let me look.', tools=BOTH)

    assert heard.text == "Let me look."
    assert heard.calls == [
        ToolCall("call_2_0", "weather", '{"city": "Köln"}'),
        ToolCall("call_2_1", "clock", "{}"),
    ]
    assert heard.reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("fields", "called"),
    [
        ({"tools": BOTH}, ["weather", "clock"]),
        ({"tools": BOTH, "parallel_tool_calls": False}, ["weather"]),
        ({"tools": BOTH, "tool_name": "clock"}, ["clock"]),
        ({"tools": BOTH, "tool_use": ToolUse.NONE}, []),
        ({"tools": (CLOCK,)}, ["clock"]),
        ({}, []),
    ],
)
async def test_it_calls_only_what_it_may(fields: dict[str, object], called: list[str]):
    heard = await told("/tool weather /tool clock", **fields)

    assert [call.name for call in heard.calls] == called


async def test_a_tool_that_was_not_offered_is_missed():
    assert (await told("/tool weather")).text == "No tool called weather was offered."


@pytest.mark.parametrize("choice", [{"tool_use": ToolUse.REQUIRED}, {"tool_name": "clock"}])
async def test_a_call_that_must_be_made_has_arguments_that_fit(choice: dict[str, object]):
    heard = await told("Ring in 3 hours!", tools=(CLOCK, WEATHER), **choice)

    assert heard.calls == [ToolCall("call_2_0", "clock", '{"hours":3}')]
    assert heard.text == ""


async def test_what_tools_return_is_said_back():
    turns = (
        Turn(Role.USER, "/tool weather /tool clock"),
        Turn(Role.ASSISTANT, tool_calls=(ToolCall("a", "weather", "{}"), ToolCall("b", "clock", "{}"))),
        Turn(Role.TOOL, "Rain", tool_call_id="a"),
        Turn(Role.TOOL, "Noon", tool_call_id="b"),
    )

    heard = await hear(Echo(endpoint("")).stream(Request("echo-fast", turns, tools=BOTH)))

    assert (heard.text, heard.reason) == ("Rain\n\nNoon", FinishReason.STOP)


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        (None, {"answer": "Say 7"}),
        ({"type": "object", "properties": {"n": {"type": "integer"}, "x": {"type": "number"}}}, {"n": 7, "x": 7.0}),
        ({"properties": {"who": {"enum": ["me", "you"]}, "so": {"type": "boolean"}}}, {"who": "me", "so": True}),
        ({"properties": {"all": {"type": "array", "items": {"$ref": "#/$defs/One"}}}, "$defs": {"One": {"const": 1}}}, {"all": [1]}),
        ({"properties": {"maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}, {"maybe": "Say 7"}),
    ],
)  # fmt: skip
async def test_an_answer_in_json_fits_the_schema(schema: dict[str, object] | None, answer: object):
    heard = await told("Say 7", model="echo", response_format=JsonFormat(schema))

    assert orjson.loads(heard.text) == answer


async def test_json_that_it_is_told_is_said_back_as_it_is():
    heard = await told('{"city": "Oslo"}', response_format=JsonFormat({"type": "object"}))

    assert heard.text == '{"city": "Oslo"}'


SCHEMAS = some.recursive(
    some.none() | some.booleans() | some.integers() | some.sampled_from(["#", "#/a/b", "object", "array"]),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["$ref", "type", "properties", "items", "anyOf", "enum", "a"]), inner
        )
    ),
)


@given(
    some.dictionaries(some.sampled_from(["type", "properties", "items", "anyOf", "$ref"]), SCHEMAS),
    some.text(),
)
def test_no_schema_is_too_odd(schema: dict[str, object], text: str):
    example_of(schema, text)


async def test_it_stops_where_it_is_told_to():
    heard = await told("one two END three STOP", stop=("STOP", "END"))

    assert heard.text == "one two "
    assert heard.events[-1] == Finished(FinishReason.STOP, "END")


async def test_its_thoughts_are_signed():
    heard = await told("/think Hello")

    assert [event for event in heard.events if isinstance(event, ThoughtEnded)] == [
        ThoughtEnded("signed-by-echo")
    ]
