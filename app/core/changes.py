"""Keeping in memory what every call needs, and never a moment too long.

Tables marked `WATCHED` hold what administrators and owners decide: accounts, keys, models, prices, budgets. Their
rows are asked for by every call and changed a few times a day. Whoever commits a change of one moves the
*generation* on, whichever verb it was; what was kept from an earlier generation is read again. Other processes
learn of it by PostgreSQL's NOTIFY, or on SQLite (the command line) by the time of a file beside the database.
While a process cannot be sure to hear of it, every moment is a generation of its own, and nothing is kept.
"""

import math
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection, ExecutionContext
from sqlalchemy.pool import ConnectionPoolEntry

WATCHED: Final = {"watched": True}
"""For `__table_args__ = {"info": WATCHED}`."""
UNWATCHED: Final = {"parley_unwatched": True}
"""Execution options of a statement that changes only what nobody keeps, such as when a key was last used."""
CHANNEL: Final = "parley_changes"
HAS_CHANGED = "parley_has_changed"
SECONDS_BETWEEN_LOOKS = 0.01
"""At the file: every call asks several times."""

Generation = tuple[int, int, int]
Key = TypeVar("Key")
Value = TypeVar("Value")


class Changes:
    """The generation of one database as this process knows it. `file` tells processes that share a SQLite file.

    `hearing` is the number of the line on which a server hears of changes, and None while nothing may be heard.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.hearing: Callable[[], int | None] = lambda: 0
        self._file = file
        self._count = 0
        self._time = 0
        self._looked_at = -math.inf

    def generation(self) -> Generation:
        """Equal to an earlier answer as long as nothing that is watched was changed in between."""
        line = self.hearing()
        if line is None:
            self._count += 1
        return self._count, self._time_of_file(), line or 0

    def moved_on(self) -> None:
        """Something watched was changed here, and is committed."""
        self.heard()
        if self._file is not None:
            self._file.touch(mode=0o600)
            # The kernel's own clock would not tell two changes within a few milliseconds apart.
            os.utime(self._file, ns=(time.time_ns(), time.time_ns()))

    def heard(self) -> None:
        """Another process changed something, or may have."""
        self._count += 1

    def _time_of_file(self) -> int:
        if self._file is None:
            return 0
        at = time.monotonic()
        if at - self._looked_at >= SECONDS_BETWEEN_LOOKS:
            self._looked_at = at
            try:
                self._time = self._file.stat().st_mtime_ns
            except FileNotFoundError:
                self._time = 0
        return self._time


class Kept(Generic[Key, Value]):
    """Values that `read` finds, kept until something watched changes; at most `most` of them."""

    def __init__(self, changes: Changes, read: Callable[[Key], Awaitable[Value]], most: int = 10_000) -> None:
        self._changes = changes
        self._read = read
        self._most = most
        self._generation: Generation | None = None
        self._values: dict[Key, Value] = {}

    async def get(self, key: Key) -> Value:
        """The value of `key`; what `read` raises is not kept."""
        # Before reading: a change that is committed meanwhile makes what is read now an old generation's.
        generation = self._changes.generation()
        if generation != self._generation or (key not in self._values and len(self._values) >= self._most):
            self._generation, self._values = generation, {}
        values = self._values
        if key not in values:
            values[key] = await self._read(key)
        return values[key]


def watch(engine: Engine, changes: Changes) -> None:
    """Let every commit on `engine` that changed a watched table move the generation on."""

    def note(connection: Connection, *details: Any) -> None:
        context: ExecutionContext | None = details[3]
        if context is not None and _changes_what_is_watched(context):
            connection.info[HAS_CHANGED] = True

    def tell(connection: Connection) -> None:
        # Delivered with the commit, or not at all.
        if HAS_CHANGED in connection.info and connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    def end(_connection: object, record: ConnectionPoolEntry) -> None:
        if record.info.pop(HAS_CHANGED, False):
            changes.moved_on()

    event.listen(engine, "after_cursor_execute", note)
    event.listen(engine, "commit", tell)
    # Committed or undone: here its connection is given back. To read once too often does no harm.
    event.listen(engine, "checkin", end)


def _changes_what_is_watched(context: Any) -> bool:
    if not (context.isinsert or context.isupdate or context.isdelete) or context.compiled is None:
        return False
    if context.execution_options.get("parley_unwatched"):
        return False
    return bool(context.compiled.statement.table.info.get("watched"))
