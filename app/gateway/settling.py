"""Writes down what calls used, a few times a second and many at once.

Handing in is synchronous and cannot be cancelled, so that a completion that is torn down is still accounted
for; the writing happens elsewhere, later, and once more when the server stops.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import health
from app.core.database import Database
from app.core.database_errors import AWAY
from app.logs import Log
from app.usage import ledger, open_calls, reservations
from app.usage.ledger import Entry
from app.usage.purses import Book
from app.usage.reservations import Hold, Settled
from app.values import value

log = Log("settling")

SECONDS_BETWEEN_WRITES = 0.2
SECONDS_AFTER_A_FAILURE = 2.0
MOST_PER_WRITE = 1_000
MOST_WAITING = 50_000
"""Bounds memory when the database is away for long; what is dropped is counted in the log."""
MOST_TRIES = 5
"""For a settlement that the database itself refuses, whichever others are written with it."""


@value
class Settlement:
    """What is written about one call. `sign` is None when the call says nothing about its connection.

    `hold` is what it held of its purses, `book` the budgets as they were when it began. `was_noted` says whether
    the database may know it as a call under way.
    """

    entry: Entry
    sign: health.Sign | None
    hold: Hold
    book: Book
    was_noted: bool = False


class Settler:
    """The waiting settlements of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Settlement] = deque()
        self._arrived = asyncio.Event()
        self._writing = asyncio.Lock()
        self._flushing: asyncio.Task[None] | None = None
        self._suspects = 0
        """How many of those that wait first were refused together."""
        self._tries: Counter[str] = Counter()

    def hand_in(self, settlement: Settlement) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            log.error("settlement_dropped", waiting=MOST_WAITING)
        self._waiting.append(settlement)
        self._arrived.set()

    async def run(self) -> None:
        """Write whatever arrives, for as long as the server runs."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(SECONDS_BETWEEN_WRITES)
            try:
                await self.flush()
            except Exception as error:  # noqa: BLE001  (whatever it is: what calls used is written for ever)
                log.warning("settling_failed", waiting=len(self._waiting), kind=type(error).__name__)
            if self._waiting:
                await asyncio.sleep(SECONDS_AFTER_A_FAILURE)

    async def flush(self) -> None:
        """Write everything that waits. What could not be written keeps waiting.

        Whoever waits for it may be cancelled, the writing is not: a batch whose commit was cut off would be written
        twice, or never.
        """
        self._flushing = asyncio.create_task(self._flush())
        await asyncio.shield(self._flushing)

    async def finish(self) -> None:
        """Write everything, also what has to be tried several times: the server stops."""
        for _ in range(MOST_TRIES):
            await self.flush()
            if not self._waiting:
                return
        log.error("settlements_left", waiting=len(self._waiting))

    async def _flush(self) -> None:
        async with self._writing:
            refused: list[Settlement] = []
            try:
                while batch := self._take():
                    refused += await self._written(batch)
            finally:
                self._waiting.extend(refused)
            if not self._waiting:
                self._arrived.clear()

    def _take(self) -> list[Settlement]:
        """The next ones; one by one, where one of so many cannot be written and must not keep the others from it."""
        most = 1 if self._suspects else MOST_PER_WRITE
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), most))]

    async def _written(self, batch: list[Settlement]) -> list[Settlement]:
        """Write these; what is to be tried again, but not now. Raises an error of AWAY: they wait as before."""
        try:
            await self._write(batch)
        except AWAY:
            self._waiting.extendleft(reversed(await self._not_entered(batch)))
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is: it must not cost others their money)
            left = await self._not_entered(batch)
            if len(batch) > 1:
                self._waiting.extendleft(reversed(left))
                self._suspects = len(left)
                return []
            refused = [one for one in left if self._may_be_tried_again(one, error)]
        else:
            refused = []
            for found in batch if self._tries else ():
                self._tries.pop(found.entry.id, None)
        self._suspects = max(0, self._suspects - len(batch))
        return refused

    async def _not_entered(self, batch: list[Settlement]) -> list[Settlement]:
        """What is to be tried again: not what was committed just before the connection was lost.

        What was noted is, in any case: the ledger may have what somebody else took it for.
        """
        try:
            async with self._database.reading() as session:
                entered = await ledger.entered(session, [found.entry.id for found in batch])
        except (SQLAlchemyError, *AWAY):
            return batch
        left = []
        for found in batch:
            if found.was_noted or found.entry.id not in entered:
                left.append(found)
            else:
                found.hold.forget()
        return left

    def _may_be_tried_again(self, refused: Settlement, error: Exception) -> bool:
        call_id = refused.entry.id
        self._tries[call_id] += 1
        if self._tries[call_id] < MOST_TRIES:
            return True
        del self._tries[call_id]
        refused.hold.forget()
        log.error("settlement_refused", call=call_id, raised=error)
        return False

    async def _write(self, batch: list[Settlement]) -> None:
        async with self._database.writing() as session:
            await enter(session, batch)


async def enter(session: AsyncSession, batch: Sequence[Settlement]) -> list[Entry]:
    """Write these calls into the books, first thing in the transaction; what was entered of each."""
    if not batch:
        return []
    calls = [Settled(found.entry, found.hold) for found in batch]
    noted = [call for call, found in zip(calls, batch, strict=True) if found.was_noted]
    as_known = {call.hold.call_id: call for call in await open_calls.settled(session, noted)}
    settled = [as_known.get(call.hold.call_id, call) for call in calls]
    new = [one for one in settled if not one.entry.changes_nothing]
    await reservations.settle(session, new, batch[-1].book)
    for sign in _newest_of_each(settlement.sign for settlement in batch):
        await health.note(session, sign)
    return [one.entry for one in settled]


def _newest_of_each(signs: Iterable[health.Sign | None]) -> list[health.Sign]:
    """Of each connection the newest good and the newest bad sign; rows in one order, against deadlocks."""
    newest = {(sign.target.connection_id, sign.error is None): sign for sign in signs if sign is not None}
    return [newest[key] for key in sorted(newest)]
