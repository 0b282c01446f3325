"""The hub for several processes: PostgreSQL carries the events (LISTEN/NOTIFY), nothing else is needed.

Subscribers in the same process hear an event at once; other processes a moment later. When the connection is
lost, and after it came back, everybody is `Lagged` once, because nobody knows what was said in between.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psycopg
import structlog
from psycopg import sql
from sqlalchemy.engine import make_url

from app.live.frames import Batch, Inbox, Missed, pack
from app.live.hub import Event, Hub

CHANNEL = "parley"
SECONDS_BETWEEN_SENDS = 0.02
LONGEST_BACKLOG = 20_000
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 0.1, 5.0
SECONDS_TO_START = 10.0
SECONDS_TO_FLUSH = 1.0

SEND = "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) WITH ORDINALITY AS u(payload, i) ORDER BY i"

Connection = psycopg.AsyncConnection[tuple[object, ...]]

log = structlog.get_logger("parley.hub")


class PostgresHub(Hub):
    """Two connections: one listens, one sends. `url` is the database's, with or without SQLAlchemy's driver.

    What is notified on a channel of `channels`, by whomever, is published on the stream of the same name.
    """

    is_shared = True

    def __init__(self, url: str, *channels: str) -> None:
        super().__init__()
        self._channels = channels
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
            # A database that vanished without a word is noticed within about a minute.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )

    async def _listen(self, connection: Connection) -> None:
        for channel in (CHANNEL, *self._channels):
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        if self._listening.is_set():
            self.lag_everybody()
        self._listening.set()
        async for notification in connection.notifies():
            if notification.channel == CHANNEL:
                self._receive(notification.payload)
            else:
                super().publish(notification.channel, {})

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
