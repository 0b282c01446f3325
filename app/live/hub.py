"""Publish and subscribe by stream name: how one part of Parley tells others that something changed.

An event is a small dictionary of JSON values. Events are hints, not the truth: that is in the database,
so a subscriber that was too slow (`Lagged`) looks there again instead of waiting for what it missed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Event = dict[str, Any]
LONGEST_QUEUE = 256


class Lagged(Exception):
    """Events were dropped because the subscriber did not keep up."""


class Subscription:
    """Events of one or more streams, in the order in which they were published."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue(LONGEST_QUEUE)
        self._lagged = False

    def offer(self, event: Event) -> None:
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            self._lagged = True

    def lag(self) -> None:
        """Events were lost before they came here: the subscriber is to look at the database."""
        self._lagged = True
        self.offer({})

    async def next(self) -> Event:
        """Wait for the next event. Raises Lagged, once, when some were dropped."""
        event = {} if self._lagged else await self._events.get()
        if self._lagged:
            self._lagged = False
            while not self._events.empty():
                self._events.get_nowait()
            raise Lagged
        return event


class Hub:
    """Within one process. `live.postgres` offers the same across processes."""

    is_shared = False
    """Whether other processes hear what is published here."""

    def __init__(self) -> None:
        self._subscribers: defaultdict[str, set[Subscription]] = defaultdict(set)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def hearing(self) -> int | None:
        """The number of the line on which this process hears of all others; None while it is not known to be alive.

        After None it is another number, or nothing was missed.
        """
        return 0

    def publish(self, stream: str, event: Event) -> None:
        """Hand `event` to all who listen to `stream`; never waits."""
        for subscription in tuple(self._subscribers.get(stream, ())):
            subscription.offer(event)

    def lag_everybody(self) -> None:
        """Tell all who listen that something was lost; they look at the database again."""
        for subscriptions in tuple(self._subscribers.values()):
            for subscription in tuple(subscriptions):
                subscription.lag()

    @contextmanager
    def subscribe(self, *streams: str) -> Iterator[Subscription]:
        """Listen to `streams` while the block runs."""
        subscription = Subscription()
        for stream in streams:
            self._subscribers[stream].add(subscription)
        try:
            yield subscription
        finally:
            for stream in streams:
                self._subscribers[stream].discard(subscription)
                if not self._subscribers[stream]:
                    del self._subscribers[stream]
