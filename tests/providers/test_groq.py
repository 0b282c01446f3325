import pytest

from app.providers.base import ModelInfo
from app.providers.errors import BrokenOff, ContextTooLong
from app.providers.events import FinishReason, Usage
from app.providers.groq import Groq
from tests.providers.fake_server import FakeServer
from tests.providers.reading import endpoint, hear, question


@pytest.fixture
def provider(server: FakeServer) -> Groq:
    return Groq(endpoint(f"{server.url}/openai/v1"))


async def test_usage_is_read_from_groqs_own_corner(server: FakeServer, provider: Groq):
    server.plays("groq/answer")

    heard = await hear(provider.stream(question(model="qwen/qwen3-32b")))

    assert (heard.reasoning, heard.text) == ("They greet me.", "Hello there.")
    assert heard.usage == Usage(input=21, output=9, reasoning=4)
    assert heard.reason is FinishReason.STOP
    assert server.received[0].path == "/openai/v1/chat/completions"


async def test_models_that_think_inline_are_told_to_keep_it_apart(server: FakeServer, provider: Groq):
    server.plays("groq/answer")

    await hear(provider.stream(question(model="qwen/qwen3-32b")))
    await hear(provider.stream(question(model="llama-3.3-70b-versatile")))

    assert server.received[0].json["reasoning_format"] == "parsed"
    assert "reasoning_format" not in server.received[1].json


async def test_an_error_in_groqs_corner_is_not_mistaken_for_an_end(server: FakeServer, provider: Groq):
    server.plays("groq/error_in_stream")

    with pytest.raises(BrokenOff, match="over_capacity"):
        await hear(provider.stream(question()))


async def test_a_single_request_beyond_the_minutes_allowance_is_too_long(server: FakeServer, provider: Groq):
    server.plays("groq/request_too_large")

    with pytest.raises(ContextTooLong) as raised:
        await hear(provider.stream(question()))
    assert raised.value.excess == 3_000


async def test_the_list_knows_windows_and_leaves_out_what_only_listens(server: FakeServer, provider: Groq):
    server.plays_at("/openai/v1/models", "groq/models")

    assert await provider.list_models() == [
        ModelInfo("llama-3.3-70b-versatile", context_window=131_072, max_output_tokens=32_768)
    ]
