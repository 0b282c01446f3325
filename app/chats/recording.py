"""Stores calls of programs as conversations, after they ended: nobody's token waits for it.

A call, its messages and its line in the ledger are stored together or not at all; of what cannot be stored the line
is entered all the same. A call that repeats what an earlier one was told and answered goes on there.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from app.chats.news import tell
from app.chats.recorded_calls import Placed, Record, Writing
from app.chats.recorded_turns import Said
from app.core.database import Database
from app.core.database_errors import AWAY
from app.gateway.calls import Gateway
from app.live.hub import Hub
from app.live.tasks import Tasks
from app.logs import Log

SECONDS_BETWEEN_TRIES = 1.0
MOST_TRIES = 60
TRIES_ALONE = 3
"""For each of those that could not be stored together: else a few of them kept all others waiting for hours."""
MOST_AT_ONCE = 50
MOST_BYTES_WAITING = 100_000_000
"""Bounds memory when the database is away for long; of what is dropped the line in the ledger is kept."""
BYTES_OF_A_RECORD = 4_000
"""Beside what was told and answered."""

log = Log("recording")


class Recorder:
    """The calls of one process that are not stored yet."""

    def __init__(self, database: Database, hub: Hub, tasks: Tasks, gateway: Gateway, *, longest: int) -> None:
        self._database = database
        self._hub = hub
        self._tasks = tasks
        self._gateway = gateway
        self._longest = longest
        self._waiting: deque[Record] = deque()
        self._bytes_waiting = 0
        self._storing: asyncio.Task[None] | None = None

    def keep(self, record: Record) -> None:
        """Store it, later; cannot be cancelled."""
        if self._waiting and self._bytes_waiting + _size(record) > MOST_BYTES_WAITING:
            self._give_up(record, "too much waits")
            return
        self._waiting.append(record)
        self._bytes_waiting += _size(record)
        if self._storing is None or self._storing.done():
            self._storing = self._tasks.start("record calls", self._store_all())

    async def drain(self, seconds: float) -> None:
        """Store what waits, as far as there is time."""
        if self._storing is not None:
            await asyncio.wait((self._storing,), timeout=seconds)

    def close(self) -> None:
        """Enter what was not stored in time; when no task runs any more and before the books are closed."""
        for record in tuple(self._waiting):
            self._done(record)
            self._give_up(record, "the server stops")

    async def _store_all(self) -> None:
        while batch := tuple(self._waiting)[:MOST_AT_ONCE]:
            try:
                await self._store(batch)
            finally:
                # What fails as nobody foresaw is not tried again: it would keep all others waiting.
                for record in self._still_waiting(batch):
                    self._done(record)
                    self._give_up(record, "unforeseen")

    async def _store(self, batch: Sequence[Record], tries: int = MOST_TRIES) -> None:
        try:
            placed = await self._write_at_last(batch, tries)
        except Exception as error:  # noqa: BLE001  (whatever it is: it must not cost others their words)
            # One of them cannot be stored, and must not keep the others from it.
            for record in batch if len(batch) > 1 else ():
                await self._store([record], TRIES_ALONE)
            if len(batch) == 1:
                self._done(batch[0])
                self._give_up(batch[0], type(error).__name__)
        else:
            for call in placed:
                self._done(call.record)
                tell(self._hub, call.record.user_id, call.chat.id, call.news)

    async def _write_at_last(self, batch: Sequence[Record], tries: int) -> list[Placed]:
        # What was said may be megabytes: nobody else waits while it is looked through.
        said = await asyncio.to_thread(_said, batch, self._longest)
        for _ in range(tries - 1):
            try:
                return await self._write(batch, said)
            except AWAY as error:
                log.warning("recording_delayed", waiting=len(self._waiting), kind=type(error).__name__)
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        return await self._write(batch, said)

    async def _write(self, batch: Sequence[Record], said: Sequence[Sequence[Said]]) -> list[Placed]:
        async with self._database.writing() as session:
            writing = Writing(session)
            for record, one in zip(batch, said, strict=True):
                await writing.place(record, one)
            return await writing.write()

    def _still_waiting(self, batch: Sequence[Record]) -> list[Record]:
        return [record for record in batch if record in self._waiting]

    def _done(self, record: Record) -> None:
        self._waiting.remove(record)
        self._bytes_waiting -= _size(record)

    def _give_up(self, record: Record, why: str) -> None:
        """What it cost is entered at least. Nothing is entered twice, should it have been stored after all."""
        log.error("call_not_recorded", why=why)
        if record.settlement is not None:
            self._gateway.enter(record.settlement)


def _said(batch: Sequence[Record], longest: int) -> list[list[Said]]:
    return [record.said(longest) for record in batch]


def _size(record: Record) -> int:
    parts = (part for turn in record.turns for part in turn.content)
    told = sum(len(part) if isinstance(part, str) else len(part.data) for part in parts)
    return BYTES_OF_A_RECORD + told + record.answer_size
