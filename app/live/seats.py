"""How many pages one person may have open and live, so that nobody takes the room of everybody else."""

from collections import Counter
from collections.abc import AsyncIterator

MOST_STREAMS = 60
"""For one person in one process: dozens of tabs on several devices."""


class AllTaken(Exception):
    """This person has as many streams open as one may have."""


class Seats:
    """Counts open streams."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def seated(self, person_id: str, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same events; the seat is free again when they end. Raises AllTaken."""
        if self._taken[person_id] >= self._most:
            raise AllTaken
        return self._counted(person_id, events)

    async def _counted(self, person_id: str, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._taken[person_id] += 1
        try:
            async for item in events:
                yield item
        finally:
            self._taken[person_id] -= 1
            if not self._taken[person_id]:
                del self._taken[person_id]
