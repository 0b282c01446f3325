"""Local servers that are told which models to hold in memory."""

from datetime import UTC, datetime

import pytest

from app.providers.anthropic import Anthropic
from app.providers.errors import ModelGone, RequestRefused
from app.providers.lmstudio import LMStudio
from app.providers.memory import KeepsModelsLoaded, LoadedModel
from app.providers.ollama import Ollama
from app.providers.openai_compatible import OpenAICompatible
from tests.providers.fake_server import FakeServer
from tests.providers.reading import endpoint

LOAD, UNLOAD = "/api/v1/models/load", "/api/v1/models/unload"


@pytest.fixture
def ollama(server: FakeServer) -> Ollama:
    return Ollama(endpoint(server.url, key=None))


@pytest.fixture
def lmstudio(server: FakeServer) -> LMStudio:
    return LMStudio(endpoint(server.url, key=None))


def test_only_local_servers_keep_models_loaded():
    address = endpoint("http://127.0.0.1:9")

    assert isinstance(Ollama(address), KeepsModelsLoaded)
    assert isinstance(LMStudio(address), KeepsModelsLoaded)
    assert not isinstance(OpenAICompatible(address), KeepsModelsLoaded)
    assert not isinstance(Anthropic(address), KeepsModelsLoaded)


async def test_ollama_tells_what_is_loaded_and_for_how_long(server: FakeServer, ollama: Ollama):
    server.plays_at("/api/ps", "ollama/ps")

    assert await ollama.loaded_models() == [
        LoadedModel(
            "qwen3:8b",
            size=6_654_289_920,
            size_on_gpu=5_225_388_164,
            context_window=8_192,
            expires_at=datetime(2026, 11, 21, 8, 5, 0, 123_456, tzinfo=UTC),
        ),
        LoadedModel("gemma3:4b", size=3_338_801_804, size_on_gpu=0, context_window=4_096),
    ]


async def test_ollama_keeps_a_model_until_it_is_told_not_to(server: FakeServer, ollama: Ollama):
    server.plays_at("/api/generate", "ollama/loaded", "ollama/unloaded")

    await ollama.load("qwen3:8b")
    await ollama.unload("qwen3:8b")

    loading, unloading = (request.json for request in server.received)
    assert (loading["model"], loading["keep_alive"]) == ("qwen3:8b", -1)
    assert "prompt" not in loading
    assert unloading == {"model": "qwen3:8b", "stream": False, "keep_alive": 0}


async def test_ollama_loads_a_model_that_only_makes_embeddings(server: FakeServer, ollama: Ollama):
    server.plays_at("/api/generate", "ollama/cannot_generate")
    server.plays_at("/api/embed", "ollama/embedded_nothing")

    await ollama.load("nomic-embed-text")

    assert server.received[1].json == {"model": "nomic-embed-text", "input": [], "keep_alive": -1}


async def test_a_model_that_is_not_there_cannot_be_loaded(server: FakeServer, ollama: Ollama):
    server.plays("ollama/no_such_model")

    with pytest.raises(ModelGone):
        await ollama.load("qwen9")


async def test_lm_studio_tells_what_is_loaded(server: FakeServer, lmstudio: LMStudio):
    server.plays_at("/api/v1/models", "lmstudio/models_newest")

    assert await lmstudio.loaded_models() == [
        LoadedModel("google/gemma-3-12b", size=8_150_000_000, context_window=8_192)
    ]


async def test_lm_studio_loads_and_unloads(server: FakeServer, lmstudio: LMStudio):
    server.plays_at("/api/v1/models", "lmstudio/models_newest")
    server.plays_at(LOAD, "lmstudio/loaded")
    server.plays_at(UNLOAD, "lmstudio/unloaded")

    await lmstudio.load("openai/gpt-oss-20b")
    await lmstudio.unload("google/gemma-3-12b")

    done = [(request.path, request.json) for request in server.received if request.method == "POST"]
    assert done == [
        (LOAD, {"model": "openai/gpt-oss-20b"}),
        (UNLOAD, {"instance_id": "google/gemma-3-12b"}),
    ]


async def test_lm_studio_is_not_made_to_load_a_model_twice(server: FakeServer, lmstudio: LMStudio):
    server.plays_at("/api/v1/models", "lmstudio/models_newest")

    await lmstudio.load("google/gemma-3-12b")
    await lmstudio.unload("openai/gpt-oss-20b")

    assert {request.path for request in server.received} == {"/api/v1/models"}


async def test_an_older_lm_studio_tells_what_is_loaded_and_says_what_it_cannot(
    server: FakeServer, lmstudio: LMStudio
):
    server.plays_at("/api/v1/models", "lmstudio/unknown_path")
    server.plays_at("/api/v0/models", "lmstudio/models_older_loaded")

    assert await lmstudio.loaded_models() == [LoadedModel("qwen2-vl-7b-instruct", context_window=4_096)]
    with pytest.raises(RequestRefused, match=r"0\.4 or newer"):
        await lmstudio.load("qwen2-vl-7b-instruct")
