"""Ollama's own library looks around on the running server."""

import ollama
import pytest
from ollama import AsyncClient

from tests.providers.fake_server import FakeServer
from tests.v1.conftest import Connect

ECHO = "practice/echo-fast"


async def test_models_are_listed_and_shown(client: AsyncClient) -> None:
    listed = await client.list()
    shown = await client.show(ECHO)

    assert [model.model for model in listed.models] == [ECHO]
    assert shown.capabilities is not None
    assert "completion" in shown.capabilities


async def test_what_is_in_memory(client: AsyncClient, connect: Connect, vendor: FakeServer) -> None:
    await connect("gpu", "ollama", "qwen3:8b", base_url=vendor.url)
    vendor.plays_at("/api/ps", "ollama/ps")

    told = await client.ps()

    assert [model.name for model in told.models] == ["gpu/qwen3:8b"]


async def test_a_model_that_is_not_there(client: AsyncClient) -> None:
    with pytest.raises(ollama.ResponseError, match="practice/nothing") as refusal:
        await client.show("practice/nothing")

    assert refusal.value.status_code == 404


async def test_whoever_has_no_key_sees_nothing(address: str) -> None:
    stranger = AsyncClient(host=f"{address}/ollama")
    for look in (stranger.list, stranger.ps):
        with pytest.raises(ollama.ResponseError) as refusal:
            await look()
        assert refusal.value.status_code == 401
