import pytest

from app.providers.base import ModelInfo
from app.providers.errors import ContextTooLong, KeyRejected, ModelGone, NotReachable
from app.providers.lmstudio import LMStudio
from tests.providers.fake_server import FakeServer
from tests.providers.reading import endpoint, hear, question


@pytest.fixture
def provider(server: FakeServer) -> LMStudio:
    return LMStudio(endpoint(server.url, key=None))


@pytest.mark.parametrize("pasted", ["", "/", "/v1", "/api/v1", "/v1/chat/completions"])
async def test_chats_go_through_the_compatible_door(server: FakeServer, pasted: str):
    server.plays("compatible/reasoning_content")

    heard = await hear(LMStudio(endpoint(server.url + pasted)).stream(question()))

    assert (heard.reasoning, heard.text) == ("Two and two make four.", "It is 4.")
    assert server.received[0].path == "/v1/chat/completions"


async def test_the_newest_list_tells_abilities_and_the_loaded_window(server: FakeServer, provider: LMStudio):
    server.plays_at("/api/v1/models", "lmstudio/models_newest")

    gemma, gpt_oss, embedding = await provider.list_models()

    assert gemma == ModelInfo(
        "google/gemma-3-12b",
        "Gemma 3 12B",
        context_window=8_192,
        vision=True,
        tools=False,
        reasoning=False,
        embeddings=False,
        family="gemma3",
        parameters="12B",
        quantization="Q4_K_M",
        size=8_150_000_000,
    )
    assert (gpt_oss.context_window, gpt_oss.reasoning, gpt_oss.tools) == (131_072, True, True)
    assert embedding.embeddings


async def test_an_older_version_is_asked_in_its_own_way(server: FakeServer, provider: LMStudio):
    server.plays_at("/api/v1/models", "lmstudio/unknown_path")
    server.plays_at("/api/v0/models", "lmstudio/models_older")

    vision, embedding = await provider.list_models()

    assert vision == ModelInfo(
        "qwen2-vl-7b-instruct",
        context_window=32_768,
        vision=True,
        embeddings=False,
        family="qwen2_vl",
        quantization="4bit",
    )
    assert embedding.embeddings


async def test_the_compatible_list_is_the_last_resort(server: FakeServer, provider: LMStudio):
    server.plays_at("/v1/models", "lmstudio/models_openai")

    assert await provider.list_models() == [ModelInfo("a-model")]


async def test_a_rejected_key_ends_the_search(server: FakeServer, provider: LMStudio):
    server.plays("openai/bad_key")

    with pytest.raises(KeyRejected):
        await provider.list_models()
    assert len(server.received) == 1


async def test_nobody_home_is_told_at_once():
    with pytest.raises(NotReachable, match="LM Studio"):
        await LMStudio(endpoint("http://127.0.0.1:9")).list_models()


@pytest.mark.parametrize(
    ("story", "error"), [("context_too_long", ContextTooLong), ("not_loaded", ModelGone)]
)
async def test_its_own_complaints_are_understood(
    server: FakeServer, provider: LMStudio, story: str, error: type[Exception]
):
    server.plays(f"lmstudio/{story}")

    with pytest.raises(error):
        await hear(provider.stream(question()))
