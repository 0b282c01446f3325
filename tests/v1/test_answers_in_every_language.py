"""Each vendor's recorded answers, said in the words of each client, are understood as the same answers.

What a surface says is read back by the adapter for the vendor whose language it is.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import orjson
import pytest

from app.providers import wire
from app.providers.anthropic import Anthropic
from app.providers.base import Endpoint, Provider, Request, Role, Thought, Turn
from app.providers.events import ThoughtEnded, Usage
from app.providers.ollama import Ollama
from app.providers.openai_compatible import OpenAICompatible
from app.v1.anthropic.messages import Messages
from app.v1.ollama.surfaces import CHAT
from app.v1.openai.chat import ChatCompletions
from app.v1.surface import Answer, Asked, Surface
from tests.providers.fake_server import Answer as Response
from tests.providers.fake_server import FakeServer, running
from tests.providers.reading import Heard, hear

VENDORS: dict[str, type[Provider]] = {
    "anthropic": Anthropic,
    "compatible": OpenAICompatible,
    "ollama": Ollama,
}
TRANSCRIPTS = [
    "anthropic/answer",
    "anthropic/tool_calls",
    "compatible/answer",
    "compatible/reasoning_content",
    "compatible/tool_calls",
    "ollama/answer",
    "ollama/tool_calls",
]
ESTIMATE = Usage(input=11, output=7)
"""Where a vendor reported nothing."""


@dataclass(frozen=True)
class Language:
    surface: Surface
    vendor: str
    """Whose adapter understands it."""


LANGUAGES = [
    Language(Messages(), "anthropic"),
    Language(ChatCompletions(), "compatible"),
    Language(CHAT, "ollama"),
]


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with running() as fake:
        yield fake
        await wire.close()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.vendor)
@pytest.mark.parametrize("transcript", TRANSCRIPTS)
async def test_a_stream_is_understood(server: FakeServer, transcript: str, language: Language) -> None:
    server.plays(transcript)
    heard = await hear_from(server, transcript.partition("/")[0])

    # With its proof, OpenAI's clients are told a thought once more, whole, so that they can send it back.
    unsigned = [event for event in heard.events if not isinstance(event, ThoughtEnded)]
    server.plays(streamed(language.surface, replace(heard, events=unsigned)))
    understood = await hear_from(server, language.vendor)

    assert gist(understood) == gist(heard)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.vendor)
@pytest.mark.parametrize("transcript", TRANSCRIPTS)
async def test_a_whole_answer_is_understood(server: FakeServer, transcript: str, language: Language) -> None:
    server.plays(transcript)
    heard = await hear_from(server, transcript.partition("/")[0])

    server.plays(whole(language.surface, heard))
    understood = await hear_from(server, language.vendor, streaming=False)

    assert gist(understood) == gist(heard)


async def test_signatures_reach_anthropics_clients(server: FakeServer) -> None:
    server.plays("anthropic/answer")
    heard = await hear_from(server, "anthropic")
    server.plays(streamed(Messages(), heard))

    understood = await hear_from(server, "anthropic")

    signed = [event for event in heard.events if isinstance(event, ThoughtEnded)]
    assert signed
    assert [event for event in understood.events if isinstance(event, ThoughtEnded)] == signed


async def hear_from(server: FakeServer, vendor: str, *, streaming: bool = True) -> Heard:
    provider = VENDORS[vendor](Endpoint(server.url))  # type: ignore[call-arg]
    return await hear(provider.stream(Request("m", (Turn(Role.USER, "Hello"),), streaming=streaming)))


def streamed(surface: Surface, heard: Heard) -> Response:
    writer = surface.writer(asked(streaming=True), Answer("0123", "m", 1_700_000_000))
    body = b"".join(writer.feed(event) for event in heard.events) + writer.end(answer(heard))
    return Response(200, {"content-type": surface.media_type}, body)


def whole(surface: Surface, heard: Heard) -> Response:
    body = orjson.dumps(surface.whole(asked(streaming=False), answer(heard)))
    return Response(200, {"content-type": "application/json"}, body)


def asked(*, streaming: bool) -> Asked:
    return Asked(Request("m", (Turn(Role.USER, "Hello"),), streaming=streaming), wants_usage=True)


def answer(heard: Heard) -> Answer:
    assert heard.reason is not None
    return Answer(
        "0123",
        "m",
        1_700_000_000,
        text=heard.text,
        thoughts=(Thought(heard.reasoning),) if heard.reasoning else (),
        tool_calls=tuple(heard.calls),
        finish=heard.reason,
        usage=heard.usage or ESTIMATE,
    )


def gist(heard: Heard) -> object:
    """What must be the same in every language. Not all of them tell what came from a cache."""
    calls = [(call.id, call.name, orjson.loads(call.arguments)) for call in heard.calls]
    usage = heard.usage or ESTIMATE
    return heard.text, heard.reasoning, calls, heard.reason, usage.input, usage.output
