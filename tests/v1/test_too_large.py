"""What is larger than the server takes is refused unread, in the language of whoever sent it."""

from collections.abc import AsyncIterator

import pytest

from app.core.settings import Settings
from tests.cast import Visitor
from tests.v1.clients import COUNTING, EMBEDDING, TALKING, Client

OF_VENDORS = (*TALKING, *EMBEDDING[:3], COUNTING)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_request_bytes": 2_000})


async def without_a_length() -> AsyncIterator[bytes]:
    for _ in range(10):
        yield b" " * 1_000


@pytest.mark.parametrize("content", [lambda: b" " * 2_001, without_a_length], ids=["announced", "counted"])
@pytest.mark.parametrize("surface", OF_VENDORS, ids=lambda client: client.name)
async def test_it_is_said_in_the_clients_language(
    client: Visitor, key: str, surface: Client, content: object
) -> None:
    response = await client.post(surface.path, content=content(), headers={"x-api-key": key})

    assert response.status_code == 413
    kind, sentence = surface.complaint(response.json())
    assert kind in {"too_large", "request_too_large", ""}
    assert "at most 0.002 MB" in sentence
    assert response.headers["x-should-retry"] == "false"


async def test_so_is_what_another_site_makes_a_browser_ask(client: Visitor, key: str) -> None:
    headers = {"x-api-key": key, "sec-fetch-site": "cross-site"}
    for surface in OF_VENDORS:
        response = await client.post(surface.path, json={}, headers=headers)

        assert response.status_code == 403
        assert "another site" in surface.complaint(response.json())[1]
