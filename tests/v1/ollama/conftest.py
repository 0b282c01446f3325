import pytest
from ollama import AsyncClient

from tests.v1.conftest import Connect

ECHO = "practice/echo-fast"


@pytest.fixture
async def client(address: str, key: str, connect: Connect) -> AsyncClient:
    """Ollama's library with Bob's key."""
    await connect("practice", "echo", "echo-fast")
    return AsyncClient(host=f"{address}/ollama", headers={"authorization": f"Bearer {key}"})
