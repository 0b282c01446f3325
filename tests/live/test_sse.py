"""Streams of events, and how they end."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from app.live.sse import EventStream


class Telling:
    """Says something again and again; knows whether it was told to stop."""

    def __init__(self) -> None:
        self.is_closed = False

    async def events(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"data: hello\n\n"
        finally:
            self.is_closed = True


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_who_leaves_while_something_is_sent_ends_what_is_told() -> None:
    telling = Telling()

    async def send(message: Message) -> None:
        if message.get("body"):
            raise OSError("gone")

    stream = EventStream(telling.events(), until=for_ever())
    with pytest.raises(ClientDisconnect):
        await stream({"type": "http", "asgi": {"spec_version": "2.4"}}, asyncio.Event().wait, send)  # type: ignore[arg-type]

    assert telling.is_closed


async def test_what_ends_a_stream_by_failing_is_not_kept_quiet() -> None:
    telling = Telling()

    async def fail() -> None:
        raise RuntimeError("nobody foresaw it")

    async def send(_: Message) -> None:
        await asyncio.sleep(0)

    stream = EventStream(telling.events(), until=fail())
    with pytest.raises(RuntimeError, match="nobody foresaw it"):
        await stream({"type": "http", "asgi": {"spec_version": "2.4"}}, asyncio.Event().wait, send)  # type: ignore[arg-type]

    assert telling.is_closed
