import pytest

from app.providers.base import ModelInfo
from app.providers.openai import OpenAI
from tests.providers.fake_server import FakeServer
from tests.providers.reading import endpoint, hear, question


@pytest.fixture
def provider(server: FakeServer) -> OpenAI:
    return OpenAI(endpoint(f"{server.url}/v1"))


async def test_the_limit_goes_by_its_newer_name(server: FakeServer, provider: OpenAI):
    server.plays("compatible/answer")

    await hear(provider.stream(question(model="gpt-4o", max_output_tokens=50, temperature=0.2)))

    sent = server.received[0].json
    assert (sent["max_completion_tokens"], sent["temperature"]) == (50, 0.2)
    assert "max_tokens" not in sent


@pytest.mark.parametrize("model", ["gpt-5-mini", "o3-mini", "gpt-6-astra", "ft:o4-mini:us::1"])
async def test_a_reasoning_model_is_spared_what_it_refuses(server: FakeServer, provider: OpenAI, model: str):
    server.plays("compatible/answer")

    await hear(provider.stream(question(model=model, temperature=0.2, reasoning_effort="low")))

    sent = server.received[0].json
    assert "temperature" not in sent
    assert sent["reasoning_effort"] == "low"
    assert [message["role"] for message in sent["messages"]] == ["developer", "user"]


async def test_a_model_unknown_here_may_refuse_parameters_and_is_asked_again(
    server: FakeServer, provider: OpenAI
):
    server.plays("openai/refuses_temperature", "compatible/answer")

    heard = await hear(provider.stream(question(model="brand-new", temperature=0.2)))

    assert heard.text == "Grüße, 世界 🌍!"
    assert "temperature" in server.received[0].json
    assert "temperature" not in server.received[1].json


async def test_the_list_leaves_out_what_cannot_chat_and_knows_the_families(
    server: FakeServer, provider: OpenAI
):
    server.plays_at("/v1/models", "openai/models")

    models = {model.name: model for model in await provider.list_models()}

    assert list(models) == ["gpt-4o", "gpt-5-mini", "o3-mini", "gpt-99", "text-embedding-3-small"]
    assert models["gpt-4o"] == ModelInfo(
        "gpt-4o",
        context_window=128_000,
        max_output_tokens=16_384,
        vision=True,
        tools=True,
        reasoning=False,
        embeddings=False,
    )
    assert models["gpt-5-mini"].reasoning
    assert models["gpt-5-mini"].context_window == 400_000
    assert not models["o3-mini"].vision
    assert models["gpt-99"] == ModelInfo("gpt-99"), "of an unknown family nothing is claimed"
    assert models["text-embedding-3-small"].embeddings
