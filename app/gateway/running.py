"""The calls that this process makes right now; noted in the database from time to time, see `usage.open_calls`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Database
from app.usage import open_calls
from app.usage.ledger import Entry
from app.usage.open_calls import Note
from app.usage.reservations import Hold

SECONDS_BETWEEN_ROUNDS = 0.25
SECONDS_UNNOTED = 0.6
"""A little more than between the checkpoints of replies, which note all calls by the way."""
SECONDS_BETWEEN_HEARTBEATS = 5.0
"""For a call of which nothing comes."""


@dataclass(eq=False)
class Running:
    """One of them. `progress` grows with all that comes; `entry_so_far` is what it would be entered as now."""

    hold: Hold
    claim: str
    progress: Callable[[], int]
    entry_so_far: Callable[[], Entry]
    noted_at: float = field(default_factory=time.monotonic)
    noted_progress: int = -1
    is_noted: bool = False
    """Whether the database may know of it."""

    def is_due(self, seconds: float) -> bool:
        since = time.monotonic() - self.noted_at
        is_changed = self.noted_progress != self.progress()
        return since >= (seconds if is_changed else max(seconds, SECONDS_BETWEEN_HEARTBEATS))

    def noted(self) -> Note:
        self.noted_at, self.noted_progress, self.is_noted = time.monotonic(), self.progress(), True
        return Note(self.entry_so_far(), self.hold, self.claim)


class RunningCalls:
    """All of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calls: dict[str, Running] = {}

    def begin(self, running: Running) -> Running:
        self._calls[running.hold.call_id] = running
        return running

    def end(self, running: Running) -> None:
        self._calls.pop(running.hold.call_id, None)

    async def note(self, session: AsyncSession, seconds: float = 0.0) -> None:
        """Note those of which something came, unless that was done within so many seconds."""
        if notes := [call.noted() for call in self._calls.values() if call.is_due(seconds)]:
            await open_calls.note(session, notes)

    async def note_overdue(self) -> None:
        """Note those that nobody noted by the way: one round."""
        if any(call.is_due(SECONDS_UNNOTED) for call in self._calls.values()):
            async with self._database.writing(brief=True) as session:
                await self.note(session, SECONDS_UNNOTED / 2)
