"""What nobody foresaw is told as our mistake, in the caller's language, and without a word of what it was."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from fastapi import FastAPI

from app.accounts.doorkeeper import Doorkeeper
from app.gateway.metering import Meter
from app.providers.events import Event
from tests.cast import BASE_URL
from tests.providers.fake_server import Answer, FakeServer
from tests.v1.clients import ANTHROPIC, EVERY, OPENAI, TALKING, Client
from tests.v1.conftest import Connect
from tests.v1.vendors import COMPATIBLE

MODEL = "practice/echo-fast"
OUR_MISTAKE = "This was our mistake"
DEEP = "[" * 300 + "]" * 300
"""More than can be said again, and less than what can be read."""


class Mistake(Exception):
    """Nobody foresaw it."""


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as visitor:
        yield visitor


@pytest.mark.parametrize("surface", EVERY, ids=lambda client: client.name)
async def test_a_program_hears_of_it_in_its_own_language(
    visitor: httpx.AsyncClient, key: str, surface: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(*_: object) -> None:
        raise Mistake("a secret")

    monkeypatch.setattr(Doorkeeper, "authenticate", break_down)

    response = await visitor.post(surface.path, json=surface.asking(MODEL), headers={"x-api-key": key})

    assert response.status_code == 500
    assert OUR_MISTAKE in surface.complaint(response.json())[1]
    assert "a secret" not in response.text
    assert response.headers["request-id"] == response.headers["x-request-id"]
    assert "x-should-retry" not in response.headers, "the sentence says that it may help"


@pytest.mark.parametrize("surface", TALKING, ids=lambda client: client.name)
async def test_in_the_middle_of_a_stream_it_is_an_error_and_no_end(
    visitor: httpx.AsyncClient,
    key: str,
    connect: Connect,
    surface: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await connect("practice", "echo", "echo-fast")
    see, seen = Meter.see, []

    def see_until_it_breaks(meter: Meter, event: Event) -> None:
        seen.append(event)
        if len(seen) > 2:
            raise Mistake("a secret")
        see(meter, event)

    monkeypatch.setattr(Meter, "see", see_until_it_breaks)

    response = await visitor.post(
        surface.path,
        json=surface.asking(MODEL, "some more words than one", streaming=True),
        headers={"x-api-key": key},
    )

    assert response.status_code == 200
    assert "some" in response.text
    assert OUR_MISTAKE in surface.error_at_the_end_of(response.text)[1]
    assert surface.end not in response.text
    assert "a secret" not in response.text


async def test_an_answer_that_cannot_be_said_is_one_too(
    visitor: httpx.AsyncClient, key: str, connect: Connect, vendor: FakeServer
) -> None:
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    function = {"name": "look", "arguments": f'{{"deep": {DEEP}}}'}
    call = {"id": "call_1", "type": "function", "function": function}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    COMPATIBLE.plays(vendor, Answer(body=orjson.dumps({"id": "1", "choices": [choice]})))
    body = ANTHROPIC.asking(COMPATIBLE.model)

    response = await visitor.post(ANTHROPIC.path, json=body, headers={"x-api-key": key})

    assert response.status_code == 500
    assert OUR_MISTAKE in ANTHROPIC.complaint(response.json())[1]


async def test_what_breaks_before_anybody_could_answer_is_answered_by_the_guard(
    visitor: httpx.AsyncClient, app: FastAPI, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(app.state, "gateway")

    response = await visitor.post(OPENAI.path, json=OPENAI.asking(MODEL), headers={"x-api-key": key})

    assert response.status_code == 500
    assert OUR_MISTAKE in response.json()["error"]["message"]
    assert response.headers["x-request-id"]
