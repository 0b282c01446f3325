"""What this process may hand out of purses without asking the database each time.

As long as a limit is far away, a process takes an *allotment* of a purse: a part of what is left, which is held
for it in the database like any reservation. Calls then draw from it in memory, with the same arithmetic. An
allotment is a lease: it is renewed while the process lives and ends by itself when it was killed. It is given back
when it lies idle, when somebody else wants it, or when anything about limits is changed.
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.changes import Generation
from app.core.clock import now
from app.core.ids import new_id
from app.usage.counters import Standing
from app.usage.needs import Need
from app.usage.purses import Purse, PurseKey
from app.values import value

SHARE = 8
"""One part in so many is taken of what is left, so that several processes find enough."""
FEWEST_CALLS = 2
"""Near its end, when an allotment would pay for fewer calls than these, every call asks the database."""
LOW = 4
"""An allotment of which no more than one part in so many is free is filled up ahead of need."""
SECONDS_IDLE = 30.0
SECONDS_OF_REST = 10.0
"""For so long nothing is taken of a purse that somebody else needed to the last."""
LEASE = timedelta(minutes=2)
"""Who runs a call renews what it holds in time; what a killed process held is free again after this."""
MARGIN = timedelta(seconds=30)
"""An allotment that was not renewed is left alone so long before its lease ends."""


@dataclass(eq=False)
class Allotment:
    """A process's part of a purse: `free` for calls to come, and what running calls drew from it.

    A closed one is drawn from no more; what its calls leave goes back to the database.
    """

    purse: Purse
    id: str = field(default_factory=new_id)
    expires_at: datetime = field(default_factory=lambda: now() + LEASE)
    size: int = 0
    """How much was free when it was last filled."""
    largest: int = 0
    """The most that one call drew."""
    free: int = 0
    held: int = 0
    arriving: int = 0
    """What is just being taken for it; there when the database has it."""
    used_at: float = field(default_factory=time.monotonic)
    is_exceeded: bool = False
    """Whether a call used more than it drew: what is left is to be counted anew, by the database."""
    is_open: bool = True
    is_known_closed: bool = False
    """Whether the database knows, so that nobody waits for it."""

    @property
    def key(self) -> PurseKey:
        return self.purse.key

    def exceed(self) -> None:
        self.is_exceeded = True

    def fill(self, amount: int) -> None:
        """So much of `arriving` is there."""
        self.arriving -= amount
        self.free += amount
        self.size = self.free

    def hold(self, amount: int) -> "Draw":
        self.free -= amount
        self.held += amount
        self.largest = max(self.largest, amount)
        self.used_at = time.monotonic()
        return Draw(self, amount)

    def is_over(self, at: datetime) -> bool:
        """Whether its period or its lease is, or what it was counted on."""
        ends_at = self.purse.span.end
        return self.is_exceeded or self.expires_at - MARGIN <= at or (ends_at is not None and ends_at <= at)

    @property
    def is_low(self) -> bool:
        return self.largest > 0 and self.free * LOW <= self.size

    @property
    def is_done(self) -> bool:
        return not (self.free or self.held or self.arriving)


@value
class Draw:
    """What one call holds of an allotment."""

    allotment: Allotment
    amount: int

    def taken_by(self, used: int) -> int:
        """How much of it leaves the allotment when the call used so much: of a closed one, all."""
        return min(used, self.amount) if self.allotment.is_open else self.amount

    def is_exceeded_by(self, used: int) -> bool:
        return used > self.amount

    def let_go(self, taken: int = 0) -> None:
        """The call is over, and `taken` left the allotment in the database, too."""
        self.allotment.held -= self.amount
        self.allotment.free += self.amount - taken


class Allotments:
    """Those of one process. `generation` tells whether anything about limits was changed, see core.changes."""

    def __init__(self, generation: Callable[[], Generation]) -> None:
        self._current_generation = generation
        self._generation = generation()
        self._open: dict[PurseKey, Allotment] = {}
        self._closed: list[Allotment] = []
        self._resting: dict[PurseKey, float] = {}

    def draw(self, purses: Iterable[Purse], need: Need) -> tuple[list[Draw], list[Purse]]:
        """What the call needs of each purse, if anything; and the purses that must be asked about in the database.

        Raises NoPrice.
        """
        self._close_if_limits_changed()
        # All of them first: one without a price refuses the call, and nothing may be held then.
        amounts = [(purse, need.amount(purse.budget, need.output_tokens)) for purse in purses]
        draws, lacking, at = [], [], now()
        for purse, amount in amounts:
            if amount <= 0:
                continue
            allotment = self._open.get(purse.key)
            if allotment is None or allotment.free < amount or allotment.is_over(at):
                lacking.append(purse)
            else:
                draws.append(allotment.hold(amount))
        return draws, lacking

    def part_of(self, standing: Standing, amount: int) -> int:
        """How much to take of a purse for a call of this amount and those after it; 0 when it is too near its end."""
        part = standing.left // SHARE
        rests_until = self._resting.get(standing.purse.key, 0.0)
        return 0 if part < FEWEST_CALLS * amount or time.monotonic() < rests_until else part

    def expecting(self, purse: Purse, part: int) -> Allotment:
        """The open one of a purse, which so much is about to be added to."""
        found = self._open.get(purse.key)
        if found is None or found.is_over(now()):
            self.close([purse.key])
            found = self._open[purse.key] = Allotment(purse)
        found.arriving += part
        return found

    def free_of(self, key: PurseKey) -> int:
        """What of a purse is held in this process and by no call."""
        found = [*self._closed, *filter(None, [self._open.get(key)])]
        return sum(allotment.free for allotment in found if allotment.key == key)

    def rest(self, keys: Iterable[PurseKey]) -> None:
        """Take nothing of these purses for a while, and give back what there is."""
        keys = list(keys)
        until = time.monotonic() + SECONDS_OF_REST
        self._resting |= dict.fromkeys(keys, until)
        self.close(keys)

    def close(self, keys: Iterable[PurseKey]) -> None:
        for key in list(keys):
            if (allotment := self._open.pop(key, None)) is not None:
                allotment.is_open = False
                self._closed.append(allotment)

    def close_all(self) -> None:
        self.close(self._open)

    def close_unused(self, wanted: Collection[str]) -> None:
        """Close what lies idle or is over; those with an id in `wanted` are needed by others, and rest."""
        self._close_if_limits_changed()
        at, idle_since = now(), time.monotonic() - SECONDS_IDLE
        self.rest([key for key, found in self._open.items() if found.id in wanted])
        self.close(
            [key for key, found in self._open.items() if found.is_over(at) or found.used_at < idle_since]
        )
        self._resting = {key: until for key, until in self._resting.items() if until > time.monotonic()}

    def to_give_back(self) -> list[Allotment]:
        """The closed ones of which the database does not know everything yet."""
        return [one for one in self._closed if one.free or one.is_done or not one.is_known_closed]

    def gave_back(self, allotments: Collection[Allotment]) -> None:
        """The database knows that these are closed; those that no call holds are done with."""
        for allotment in allotments:
            allotment.is_known_closed = True
        self._closed = [one for one in self._closed if one not in allotments or not one.is_done]

    def abandon(self, purses: Iterable[Purse]) -> None:
        """What the database has of these is not known: not renewed, they end with their lease."""
        keys = [purse.key for purse in purses]
        self.close(keys)
        self._closed = [one for one in self._closed if one.key not in keys]

    def ids(self) -> list[str]:
        """Of all that the database still has to keep."""
        return [allotment.id for allotment in (*self._open.values(), *self._closed)]

    def open_ids(self) -> list[str]:
        return [allotment.id for allotment in self._open.values()]

    def low(self) -> list[Allotment]:
        return [allotment for allotment in self._open.values() if allotment.is_low]

    def renewed(self, ids: Collection[str], until: datetime) -> None:
        for allotment in (*self._open.values(), *self._closed):
            if allotment.id in ids:
                allotment.expires_at = until

    def _close_if_limits_changed(self) -> None:
        generation = self._current_generation()
        if generation != self._generation:
            self._generation = generation
            self.close_all()
