"""The transcripts are honest: the vendors' own client libraries read the same in them as we do."""

from typing import Any

import pytest

from app.providers.anthropic import Anthropic
from app.providers.base import EmbeddingRequest
from app.providers.ollama import Ollama
from app.providers.openai_compatible import OpenAICompatible
from tests.providers.fake_server import FakeServer
from tests.providers.reading import endpoint, hear, question

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
KEY = "sk-test-0123456789"


@pytest.mark.parametrize("story", ["answer", "tool_calls", "thoughts", "stopped", "json_by_tool"])
async def test_anthropics_library_reads_the_same(server: FakeServer, story: str) -> None:
    anthropic = pytest.importorskip("anthropic")
    server.plays(f"anthropic/{story}")
    heard = await hear(Anthropic(endpoint(server.url)).stream(question()))

    async with (
        anthropic.AsyncAnthropic(base_url=server.url, api_key=KEY) as client,
        client.messages.stream(model="a-model", max_tokens=99, messages=HELLO) as stream,
    ):
        message = await stream.get_final_message()

    blocks = {
        kind: [block for block in message.content if block.type == kind] for kind in ("text", "thinking")
    }
    assert "".join(block.text for block in blocks["text"]) == heard.text
    assert "".join(block.thinking for block in blocks["thinking"]) == heard.reasoning
    assert [block.name for block in message.content if block.type == "tool_use"] == [
        call.name for call in heard.calls
    ]
    assert heard.usage is not None
    assert message.usage.output_tokens == heard.usage.output


@pytest.mark.parametrize("story", ["answer", "tool_calls", "stopped", "reasoning_content"])
async def test_openais_library_reads_the_same(server: FakeServer, story: str) -> None:
    openai = pytest.importorskip("openai")
    server.plays(f"compatible/{story}")
    heard = await hear(OpenAICompatible(endpoint(f"{server.url}/v1")).stream(question()))

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        chunks = await client.chat.completions.create(model="a-model", messages=HELLO, stream=True)
        deltas = [choice.delta async for chunk in chunks for choice in chunk.choices]

    calls = [call for delta in deltas for call in delta.tool_calls or () if call.function.name]
    assert "".join(delta.content or "" for delta in deltas) == heard.text
    assert [call.function.name for call in calls] == [call.name for call in heard.calls]


async def test_openais_library_reads_the_same_vectors(server: FakeServer) -> None:
    openai = pytest.importorskip("openai")
    server.plays("openai/embeddings")
    ours = await OpenAICompatible(endpoint(f"{server.url}/v1")).embed(
        EmbeddingRequest("a-model", ("one", "two"))
    )

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        theirs = await client.embeddings.create(model="a-model", input=["one", "two"])

    assert tuple(tuple(item.embedding) for item in theirs.data) == ours.vectors


@pytest.mark.parametrize("story", ["answer", "tool_calls"])
async def test_ollamas_library_reads_the_same(server: FakeServer, story: str) -> None:
    ollama = pytest.importorskip("ollama")
    server.plays(f"ollama/{story}")
    heard = await hear(Ollama(endpoint(server.url)).stream(question()))

    chunks = [
        chunk async for chunk in await ollama.AsyncClient(server.url).chat("a-model", HELLO, stream=True)
    ]

    assert "".join(chunk.message.content or "" for chunk in chunks) == heard.text
    assert [call.function.name for chunk in chunks for call in chunk.message.tool_calls or ()] == [
        call.name for call in heard.calls
    ]


async def test_ollamas_library_reads_the_same_of_what_is_loaded(server: FakeServer) -> None:
    ollama = pytest.importorskip("ollama")
    server.plays("ollama/ps")
    ours = await Ollama(endpoint(server.url)).loaded_models()

    theirs = await ollama.AsyncClient(server.url).ps()

    assert [(model.model, model.size, model.context_length) for model in theirs.models] == [
        (model.name, model.size, model.context_window) for model in ours
    ]
