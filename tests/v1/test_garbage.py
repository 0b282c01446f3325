"""Calls that go well leave nothing that holds itself: the garbage collector, which finds it, holds everybody up."""

import gc
from collections.abc import Awaitable, Callable, Iterator
from types import FunctionType

import pytest

from app.v1 import attending, conversing
from tests.cast import Visitor
from tests.providers.fake_server import FakeServer
from tests.v1.clients import OPENAI, TALKING, Client
from tests.v1.conftest import Connect
from tests.v1.vendors import COMPATIBLE

AS_A_STREAM = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])

Leavings = Callable[[Callable[[], Awaitable[None]]], Awaitable[set[str]]]


@pytest.fixture
def left_by() -> Iterator[Leavings]:
    """`await left_by(ask)`: the kinds of our things that are held by nothing but each other after `ask()`."""

    async def find(ask: Callable[[], Awaitable[None]]) -> set[str]:
        # The first time, what is made once is made.
        await ask()
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        await ask()
        gc.collect()
        kinds = [found if isinstance(found, FunctionType) else type(found) for found in gc.garbage]
        return {kind.__qualname__ for kind in kinds if (kind.__module__ or "").startswith("app.")}

    yield find
    gc.set_debug(0)
    gc.garbage.clear()


@AS_A_STREAM
@pytest.mark.parametrize("surface", TALKING, ids=lambda client: client.name)
async def test_a_call_in_any_language(
    client: Visitor, key: str, connect: Connect, surface: Client, *, streaming: bool, left_by: Leavings
) -> None:
    await connect("practice", "echo", "echo-fast")
    body = surface.asking("practice/echo-fast", "Hello", streaming=streaming)

    async def ask() -> None:
        response = await client.post(surface.path, json=body, headers={"x-api-key": key})
        assert response.status_code == 200

    assert await left_by(ask) == set()


@AS_A_STREAM
async def test_a_call_that_is_passed_on_and_tried_again(
    client: Visitor, key: str, connect: Connect, vendor: FakeServer, *, streaming: bool, left_by: Leavings
) -> None:
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    answer = COMPATIBLE.answer if streaming else COMPATIBLE.whole
    COMPATIBLE.plays(vendor, *["openai/rate_limited", answer] * 2)
    body = OPENAI.asking(COMPATIBLE.model, streaming=streaming)

    async def ask() -> None:
        response = await client.post(OPENAI.path, json=body, headers={"x-api-key": key})
        assert response.headers["x-parley-attempts"] == "2"

    assert await left_by(ask) == set()


@AS_A_STREAM
async def test_a_call_that_takes_long(
    client: Visitor,
    key: str,
    connect: Connect,
    left_by: Leavings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    streaming: bool,
) -> None:
    monkeypatch.setattr(attending, "SECONDS_UNWATCHED", 0)
    monkeypatch.setattr(conversing, "SECONDS_OF_SILENCE", 0)
    await connect("practice", "echo", "echo")
    body = OPENAI.asking("practice/echo", "Hello", streaming=streaming)

    async def ask() -> None:
        response = await client.post(OPENAI.path, json=body, headers={"x-api-key": key})
        assert response.status_code == 200
        assert (conversing.SIGN_OF_LIFE.decode() in response.text) is streaming

    assert await left_by(ask) == set()
