"""What nobody foresaw is told as our mistake, in the caller's language, and without a word of what it was."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.gateway.spending import Spending
from tests.v1.clients import TALKING, Client
from tests.v1.conftest import Connect

MODEL = "practice/echo-fast"


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://parley.test") as visitor:
        yield visitor


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Spending, "purpose", break_down)


@pytest.mark.parametrize("surface", TALKING, ids=lambda client: client.name)
@pytest.mark.usefixtures("broken")
async def test_a_program_hears_of_it_in_its_own_language(
    visitor: httpx.AsyncClient, key: str, connect: Connect, surface: Client
) -> None:
    await connect("practice", "echo", "echo-fast")

    response = await visitor.post(
        surface.path, json=surface.asking(MODEL, streaming=True), headers={"x-api-key": key}
    )

    assert response.status_code == 500
    assert "This was our mistake" in surface.complaint(response.json())[1]
    assert "a mistake" not in response.text
