import asyncio

import pytest

from app.providers.base import FinishReason, Image, Request, Role, Timeouts, Turn, Usage
from app.providers.echo import FAILURES, NOTICE, Echo
from app.providers.errors import BrokenOff, ModelGone, ProviderError, TimedOut
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


@pytest.mark.parametrize("code", FAILURES)
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
