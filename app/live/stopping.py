"""Tells long-lived streams that the server is about to stop, so that they end at once and not by force."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from app.live.hub import Hub

STOPPING = "stopping"
"""The hub's stream that hears of it."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Begins as soon as the process is asked to stop, before the server waits for its connections."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.has_begun = False

    def begin(self) -> None:
        self.has_begun = True
        self._hub.publish(STOPPING, {})

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Listen in on the signals that end the process; whoever handles them otherwise still does."""
        loop = asyncio.get_running_loop()
        earlier = {number: signal.getsignal(number) for number in SIGNALS}

        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.begin)
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
