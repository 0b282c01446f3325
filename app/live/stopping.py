"""Tells long-lived streams that the server is about to stop, so that they end at once and not by force."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Set as soon as the process is asked to stop, before the server waits for its connections."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Listen in on the signals that end the process; whoever handles them otherwise still does."""
        loop = asyncio.get_running_loop()
        earlier = {number: signal.getsignal(number) for number in SIGNALS}

        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._event.set)
            handler = earlier[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        listened = [number for number, handler in earlier.items() if callable(handler)]
        for number in listened:
            signal.signal(number, handle)
        try:
            yield
        finally:
            for number in listened:
                if signal.getsignal(number) is handle:
                    signal.signal(number, earlier[number])
