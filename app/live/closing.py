"""The moment in which the server is told to stop.

A server waits for its open responses before it ends. Streams that would never end by themselves listen here
and hang up; their browsers come back to whoever serves next.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def closing_when_told() -> Iterator[asyncio.Event]:
    """An event that is set when a signal asks this process to stop; the server's own handlers still run."""
    closing = asyncio.Event()
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may listen to signals; a server elsewhere (in a test) is told in other ways.
        yield closing
        return
    loop = asyncio.get_running_loop()
    previous = {number: signal.getsignal(number) for number in SIGNALS}

    def tell(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(closing.set)
        earlier = previous[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number in SIGNALS:
        signal.signal(number, tell)
    try:
        yield closing
    finally:
        for number, earlier in previous.items():
            signal.signal(number, earlier)
