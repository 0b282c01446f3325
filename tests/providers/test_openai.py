import pytest

from app.providers.base import ModelInfo
from app.providers.errors import RequestRefused
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

    asked = question(model=model, temperature=0.2, reasoning_effort="low", is_lenient=True)

    await hear(provider.stream(asked))

    sent = server.received[0].json
    assert "temperature" not in sent
    assert sent["reasoning_effort"] == "low"
    assert [message["role"] for message in sent["messages"]] == ["developer", "user"]


@pytest.mark.parametrize(
    ("streaming", "answer", "text"),
    [(True, "compatible/answer", "Grüße, 世界 🌍!"), (False, "compatible/whole", "Grüße!")],
    ids=["streamed", "whole"],
)
async def test_a_model_unknown_here_may_refuse_parameters_and_is_asked_again(
    server: FakeServer, provider: OpenAI, answer: str, text: str, *, streaming: bool
):
    server.plays("openai/refuses_temperature", answer)
    asked = question(model="brand-new", temperature=0.2, is_lenient=True, streaming=streaming)

    heard = await hear(provider.stream(asked))

    assert heard.text == text
    assert "temperature" in server.received[0].json
    assert "temperature" not in server.received[1].json


async def test_what_a_client_insists_on_is_refused_with_the_vendors_words_and_a_way_out(
    server: FakeServer, provider: OpenAI
):
    server.plays("openai/refuses_temperature")

    with pytest.raises(RequestRefused, match=r"does not support 0\.2") as raised:
        await hear(provider.stream(question(model="brand-new", temperature=0.2)))
    assert raised.value.parameter == "temperature"
    assert "x-parley-drop-unsupported: true" in raised.value.remedy
    assert len(server.received) == 1


async def test_a_model_that_is_not_to_reason_may_have_a_temperature(server: FakeServer, provider: OpenAI):
    server.plays("compatible/answer")

    await hear(provider.stream(question(model="gpt-5.4", temperature=0.2, reasoning_effort="none")))

    assert server.received[0].json["temperature"] == 0.2


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
