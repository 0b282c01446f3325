from collections.abc import AsyncIterator

import pytest
from ollama import AsyncClient

from tests.v1 import obedient_server
from tests.v1.conftest import Connect

ECHO = "practice/echo-fast"


@pytest.fixture
async def client(address: str, key: str, connect: Connect) -> AsyncClient:
    """Ollama's library with Bob's key."""
    await connect("practice", "echo", "echo-fast")
    return AsyncClient(host=f"{address}/ollama", headers={"authorization": f"Bearer {key}"})


@pytest.fixture
async def own(connect: Connect) -> AsyncIterator[str]:
    """The name of a model whose provider speaks Ollama's language."""
    with obedient_server.running() as upstream:
        await connect("workshop", "ollama", obedient_server.MODEL, base_url=upstream)
        yield f"workshop/{obedient_server.MODEL}"
