"""Which connections rest: what failed again and again is left alone for a while, where something else can answer.

One circuit for each connection, in the memory of this process. *Closed*: it is asked. *Open*: it rests, each time
twice as long. *Half open*: its rest is over, and one call tries whether it is well.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.catalog.opening import Target
from app.providers.errors import (
    BrokenOff,
    ContextTooLong,
    ModelGone,
    NotPermitted,
    Overloaded,
    ProviderError,
    RateLimited,
    RequestRefused,
    TimedOut,
)

ABOUT_THE_REQUEST = (ContextTooLong, ModelGone, NotPermitted, RequestRefused)
"""Errors that say nothing about the connection: the next request may be well."""
MAY_BE_CHANCE = (BrokenOff, Overloaded, RateLimited, TimedOut)
"""Errors of a connection that may well serve the next call. After any other it rests at once."""
FAILURES_IN_A_ROW = 3
FIRST_REST = 5.0
LONGEST_REST = 300.0
"""Seconds."""


@dataclass(frozen=True)
class Rest:
    """What people are told of a connection that rests."""

    seconds_left: int
    is_being_tried: bool


class Circuit:
    """What was heard of one connection. Moments are seconds of any steady clock."""

    def __init__(self) -> None:
        self._failures = 0
        self._rests = 0
        self._is_being_tried = False
        self.ready_at = 0.0
        """When it may be asked again."""

    @property
    def is_closed(self) -> bool:
        return self._rests == 0

    def is_ready(self, at: float) -> bool:
        return self.is_closed or (at >= self.ready_at and not self._is_being_tried)

    def begin(self) -> None:
        """It is asked."""
        self._is_being_tried = not self.is_closed

    def give_up(self) -> None:
        """Whoever asked left before anything was heard."""
        self._is_being_tried = False

    def succeed(self) -> None:
        self._failures = self._rests = 0
        self._is_being_tried = False

    def fail(self, error: ProviderError, at: float) -> None:
        self._failures += 1
        self._is_being_tried = False
        may_be_chance = isinstance(error, MAY_BE_CHANCE) and error.retry_after is None
        if self.is_closed and may_be_chance and self._failures < FAILURES_IN_A_ROW:
            return
        self._rests += 1
        seconds = max(FIRST_REST * 2.0 ** min(self._rests - 1, 10), error.retry_after or 0.0)
        self.ready_at = max(self.ready_at, at + min(seconds, LONGEST_REST))

    def rest_at(self, at: float) -> Rest | None:
        if self.is_closed:
            return None
        return Rest(max(0, round(self.ready_at - at)), self._is_being_tried)


class Circuits:
    """Those of all connections. One that got another address or key begins anew."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._circuits: dict[str, tuple[Target, Circuit]] = {}

    def is_ready(self, target: Target) -> bool:
        return self._of(target).is_ready(self._clock())

    def ready_at(self, target: Target) -> float:
        return self._of(target).ready_at

    def begin(self, target: Target) -> None:
        self._of(target).begin()

    def ended(self, target: Target, error: ProviderError | None, *, was_heard: bool) -> None:
        """A call of it is over. `was_heard`: some of an answer came."""
        circuit = self._of(target)
        if was_heard or isinstance(error, ABOUT_THE_REQUEST):
            circuit.succeed()
        elif error is None:
            circuit.give_up()
        # Failing is what one practises with Echo.
        elif target.kind != "echo":
            circuit.fail(error, self._clock())

    def rests(self) -> dict[str, Rest]:
        """The connections that rest, by id."""
        at = self._clock()
        found = ((key, circuit.rest_at(at)) for key, (_, circuit) in self._circuits.items())
        return {key: rest for key, rest in found if rest is not None}

    def _of(self, target: Target) -> Circuit:
        known = self._circuits.get(target.connection_id)
        if known is not None and known[0] == target:
            return known[1]
        circuit = Circuit()
        self._circuits[target.connection_id] = (target, circuit)
        return circuit
