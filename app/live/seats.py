"""How many pages and sockets one person may have open and live, so that nobody takes the room of everybody else."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

MOST_STREAMS = 60
"""For one person in one process: dozens of tabs on several devices."""


class AllTaken(Exception):
    """This person has as many streams open as one may have."""


class Seats:
    """Counts open streams."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def seated(self, person_id: str, events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The same events; the seat is free again when they end. Raises AllTaken."""
        self._refuse_full(person_id)
        return self._counted(person_id, events)

    @contextmanager
    def seat(self, person_id: str) -> Iterator[None]:
        """A seat while the block runs. Raises AllTaken."""
        self._refuse_full(person_id)
        self._taken[person_id] += 1
        try:
            yield
        finally:
            self._taken[person_id] -= 1
            if not self._taken[person_id]:
                del self._taken[person_id]

    def _refuse_full(self, person_id: str) -> None:
        if self._taken[person_id] >= self._most:
            raise AllTaken

    async def _counted(
        self, person_id: str, events: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        with self.seat(person_id):
            async with aclosing(events):
                async for item in events:
                    yield item
