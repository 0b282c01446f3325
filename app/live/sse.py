"""Server-sent events: framing, signs of life, and streams that end when they should."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

KEEP_ALIVE = b": keep-alive\n\n"
SECONDS_BETWEEN_SIGNS = 15.0


def event(data: str, *, name: str = "", event_id: str = "") -> bytes:
    """One event on the wire; `data` may have several lines."""
    lines = [f"event: {name}"] if name else []
    if event_id:
        lines.append(f"id: {event_id}")
    lines.extend(f"data: {line}" for line in data.split("\n"))
    return ("\n".join(lines) + "\n\n").encode()


def place(event_id: str) -> bytes:
    """Nothing to show, but where to go on from: a reader that lost the line says so when it is back."""
    return f"id: {event_id}\n\n".encode()


class EventStream(StreamingResponse):
    """A response of events, usually server-sent ones, that no proxy holds back.

    It ends with `events`, or as soon as `until` returns, whichever comes first. However it ends, `events` are closed.
    """

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        until: Coroutine[Any, Any, None],
        media_type: str = "text/event-stream",
        keep_alive: bytes = KEEP_ALIVE,
    ) -> None:
        headers = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
        self._events = events
        self._supervised = _supervised(events, until, keep_alive)
        super().__init__(self._supervised, headers=headers, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A reader who leaves while something is sent would leave the generators to the garbage collector.
        async with aclosing(self._events), aclosing(self._supervised):
            await super().__call__(scope, receive, send)


async def _supervised(
    events: AsyncGenerator[bytes, None], until: Coroutine[Any, Any, None], keep_alive: bytes
) -> AsyncGenerator[bytes, None]:
    """`events`, with `keep_alive` in every long silence, so that no proxy takes the line for dead.

    Raises what `until` raises.
    """
    over = asyncio.create_task(until)
    upcoming = asyncio.create_task(_next(events))
    try:
        while True:
            await asyncio.wait(
                (upcoming, over), timeout=SECONDS_BETWEEN_SIGNS, return_when=asyncio.FIRST_COMPLETED
            )
            if over.done():
                over.result()
                return
            if not upcoming.done():
                yield keep_alive
                continue
            item = upcoming.result()
            if item is None:
                return
            upcoming = asyncio.create_task(_next(events))
            yield item
    finally:
        over.cancel()
        upcoming.cancel()
        await asyncio.gather(over, upcoming, return_exceptions=True)


async def _next(events: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(events, None)
