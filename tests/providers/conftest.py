from collections.abc import AsyncIterator

import pytest

from app.providers import wire
from app.providers.wire import retrying
from tests.providers.fake_server import FakeServer, running


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with running() as fake:
        yield fake
        await wire.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for back-off in a test."""
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.005)
