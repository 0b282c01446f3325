"""The hub for several processes: PostgreSQL carries the events (LISTEN/NOTIFY), nothing else is needed.

Subscribers in the same process hear an event at once; other processes a moment later. When the connection was
lost and is there again, everybody is `Lagged` once, because nobody knows what was said in between.

A connection that brings nothing may be silent or dead, and a network that vanished does not tell. So the listening
one is asked for a sign of life several times a second: what was committed before it was asked comes before its
answer. `hearing` tells for how long that may be relied upon.
"""

import asyncio
import math
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from app.live.frames import Batch, Inbox, Missed, pack
from app.live.hub import Event, Hub
from app.logs import Log

CHANNEL = "parley"
SECONDS_BETWEEN_SENDS = 0.02
LONGEST_BACKLOG = 20_000
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 0.1, 5.0
SECONDS_TO_START = 30.0
SECONDS_TO_FLUSH = 1.0
SECONDS_BETWEEN_SIGNS = 0.25
SECONDS_TRUSTED = 1.0
"""So long after it was asked for its last sign of life a connection counts as alive: three may be late."""
SECONDS_TO_ANSWER = 3.0
"""Whoever takes longer over a few bytes is hung up on."""

SEND = "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) WITH ORDINALITY AS u(payload, i) ORDER BY i"

Connection = psycopg.AsyncConnection[tuple[object, ...]]

log = Log("hub")


class PostgresHub(Hub):
    """Two connections: one listens, one sends. `url` is the database's, with or without SQLAlchemy's driver.

    `notices` are called when something is notified on the channel of their name, by whomever.
    """

    is_shared = True

    def __init__(self, url: str, notices: Mapping[str, Callable[[], object]] | None = None) -> None:
        super().__init__()
        self._notices = dict(notices or {})
        self._address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._origin = secrets.token_hex(4)
        self._inbox = Inbox(self._origin)
        self._outgoing: Batch = []
        self._unconfirmed: list[str] = []
        self._next_number = 0
        self._something_to_send = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._listening = asyncio.Event()
        self._connections = 0
        self._trusted_until = -math.inf
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect. Raises TimeoutError when the database cannot be reached."""
        self._tasks = [
            asyncio.create_task(self._connected("listen", self._listen)),
            asyncio.create_task(self._connected("send", self._send)),
        ]
        async with asyncio.timeout(SECONDS_TO_START):
            await self._listening.wait()

    async def stop(self) -> None:
        """Send what is left, then hang up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_FLUSH):
                await self._flushed.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def publish(self, stream: str, event: Event) -> None:
        super().publish(stream, event)
        if len(self._outgoing) >= LONGEST_BACKLOG:
            # The gap in the numbers tells the others that something is missing.
            self._outgoing.clear()
            self._next_number += 1
        self._outgoing.append((stream, event))
        self._flushed.clear()
        self._something_to_send.set()

    def hearing(self) -> int | None:
        return self._connections if time.monotonic() < self._trusted_until else None

    async def _connected(self, purpose: str, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Do `work` on a connection, and again on a new one whenever the connection is lost."""
        back_off = SHORTEST_BACK_OFF
        while True:
            try:
                async with await self._connect() as connection:
                    back_off = SHORTEST_BACK_OFF
                    await work(connection)
            except (psycopg.Error, OSError) as error:
                log.warning(
                    "connection_lost", purpose=purpose, reason=type(error).__name__, retry_in=back_off
                )
            await asyncio.sleep(back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF)

    async def _connect(self) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self._address,
            autocommit=True,
            application_name="parley hub",
            connect_timeout=5,
        )

    async def _listen(self, connection: Connection) -> None:
        with _hung_up_when_late(connection):
            for channel in (CHANNEL, *self._notices):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._connections += 1
        if self._listening.is_set():
            self.lag_everybody()
        try:
            while True:
                await self._ask_for_a_sign(connection)
                await self._hear(connection, SECONDS_BETWEEN_SIGNS)
        finally:
            self._trusted_until = -math.inf

    async def _ask_for_a_sign(self, connection: Connection) -> None:
        asked_at = time.monotonic()
        with _hung_up_when_late(connection):
            await connection.execute("SELECT 1")
        # What came before the answer first: it may say that what is kept is not true any more.
        await self._hear(connection, seconds=0)
        self._trusted_until = asked_at + SECONDS_TRUSTED
        self._listening.set()

    async def _hear(self, connection: Connection, seconds: float) -> None:
        """What was notified already, and what is within so many seconds."""
        async for notification in connection.notifies(timeout=seconds):
            if notification.channel == CHANNEL:
                self._receive(notification.payload)
            else:
                self._notices[notification.channel]()

    def _receive(self, payload: str) -> None:
        try:
            batch = self._inbox.accept(payload)
        except Missed:
            self.lag_everybody()
            return
        for stream, event in batch:
            super().publish(stream, event)

    async def _send(self, connection: Connection) -> None:
        while True:
            if not self._unconfirmed:
                await self._something_to_send.wait()
                self._take_outgoing()
            # After a failure the same payloads are sent again: whoever had them knows their numbers.
            with _hung_up_when_late(connection):
                await connection.execute(SEND, (CHANNEL, self._unconfirmed))
            self._unconfirmed = []
            if not self._outgoing:
                self._flushed.set()
            await asyncio.sleep(SECONDS_BETWEEN_SENDS)

    def _take_outgoing(self) -> None:
        self._unconfirmed = pack(self._origin, self._next_number, self._outgoing)
        self._next_number += len(self._unconfirmed)
        self._outgoing = []
        self._something_to_send.clear()


@contextmanager
def _hung_up_when_late(connection: Connection) -> Iterator[None]:
    """The block fails with a psycopg.Error when the database takes too long.

    Cancelling would not do: the driver then asks the database to cancel, and waits for its answer.
    """
    timer = asyncio.get_running_loop().call_later(SECONDS_TO_ANSWER, _hang_up, connection)
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connection: Connection) -> None:
    """Whoever waits for the connection wakes up and finds it at its end; closing would leave them waiting."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
