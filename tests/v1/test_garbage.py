"""Calls leave nothing that holds itself: the garbage collector, which finds such things, holds everybody up."""

import gc
from collections.abc import Awaitable, Callable, Iterator

import pytest

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
        return {type(found).__qualname__ for found in gc.garbage if type(found).__module__.startswith("app.")}

    yield find
    gc.set_debug(0)
    gc.garbage.clear()


@AS_A_STREAM
@pytest.mark.parametrize("surface", TALKING, ids=lambda client: client.name)
async def test_a_call_in_any_language_leaves_nothing(
    client: Visitor, key: str, connect: Connect, surface: Client, *, streaming: bool, left_by: Leavings
) -> None:
    await connect("practice", "echo", "echo-fast")
    body = surface.asking("practice/echo-fast", "Hello", streaming=streaming)

    async def ask() -> None:
        response = await client.post(surface.path, json=body, headers={"x-api-key": key})
        assert response.status_code == 200

    assert await left_by(ask) == set()


@AS_A_STREAM
async def test_nor_does_one_that_is_passed_on(
    client: Visitor, key: str, connect: Connect, vendor: FakeServer, *, streaming: bool, left_by: Leavings
) -> None:
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    COMPATIBLE.plays(vendor, *[COMPATIBLE.answer if streaming else COMPATIBLE.whole] * 2)
    body = OPENAI.asking(COMPATIBLE.model, streaming=streaming)

    async def ask() -> None:
        response = await client.post(OPENAI.path, json=body, headers={"x-api-key": key})
        assert response.status_code == 200

    assert await left_by(ask) == set()
