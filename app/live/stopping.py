"""Tells long-lived streams that the server is about to stop, so that they end at once and not by force."""

import asyncio
import signal
from types import FrameType


class Stopping:
    """Set as soon as the process is asked to stop, before the server waits for its connections."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def watch(self) -> None:
        """Listen in on the signals that end the process; whoever handled them before still does."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            previous = signal.getsignal(number)

            def handle(received: int, frame: FrameType | None, previous: object = previous) -> None:
                loop.call_soon_threadsafe(self._event.set)
                if callable(previous):
                    previous(received, frame)

            if callable(previous):
                signal.signal(number, handle)

    async def wait(self) -> None:
        await self._event.wait()
