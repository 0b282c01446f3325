"""What a call can use at most, and how much of that the limits allow: pure."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from app.providers.events import Usage
from app.usage.counters import Standing
from app.usage.models import Budget, Period, Unit
from app.usage.pricing import Price, highest_cost
from app.values import value

LEAST_OUTPUT = 256
"""Tokens. When no more than this can be paid for, an answer is not worth beginning."""
GENEROUS_OUTPUT = 4_096
"""Tokens. A call that cannot have its whole maximum leaves half to others, as long as it still gets this much."""


class NoRoom(Exception):
    """What is left does not pay for the call. `standing` is the purse that has too little."""

    def __init__(self, standing: Standing, needed: int) -> None:
        super().__init__()
        self.standing = standing
        self.needed = needed

    @property
    def is_held_by_others(self) -> bool:
        """Whether it would fit if all running calls ended without using anything."""
        return self.needed <= self.standing.left + self.standing.reserved


class NoPrice(Exception):
    """The model has no price, and a budget counts money: a limit that cannot be counted cannot hold."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self.budget = budget


@value
class Need:
    """The most that a call can use.

    `input_tokens` is more than any vendor will count, `likely_input` about what it will. `output_tokens` is
    the maximum that the provider is told.
    """

    input_tokens: int
    likely_input: int
    output_tokens: int
    price: Price | None

    def amount(self, budget: Budget, output: int) -> int:
        """How much of a budget it needs to write up to `output` tokens. Raises NoPrice."""
        match budget.unit:
            case Unit.USD:
                cost = self._cost(output)
                if cost is None:
                    raise NoPrice(budget)
                return cost
            case Unit.TOKENS if budget.period == Period.MINUTE:
                # A rate is no purse: answers count when they are written, and are not cut short for it.
                return self.likely_input
            case Unit.TOKENS:
                return self.input_tokens + output
            case _:
                return 1

    def counts_output(self, budget: Budget) -> bool:
        """Whether what is written takes anything out of it."""
        if budget.unit == Unit.USD:
            return self.price is not None and not self.price.is_free
        return budget.unit == Unit.TOKENS and budget.period != Period.MINUTE

    def is_exceeded_by(self, usage: Usage, cost: int | None, output: int) -> bool:
        """Whether this is more than what was held for up to `output` tokens."""
        if usage.input + usage.output > self.input_tokens + output:
            return True
        highest = self._cost(output)
        return highest is not None and cost is not None and cost > highest

    def _cost(self, output: int) -> int | None:
        """The most that up to `output` tokens can cost, in micro-US-dollars; None without a price."""
        # Several limits ask for that of the longest answer.
        return self._highest if output == self.output_tokens else self._reckoned(output)

    @cached_property
    def _highest(self) -> int | None:
        return self._reckoned(self.output_tokens)

    def _reckoned(self, output: int) -> int | None:
        return None if self.price is None else highest_cost(self.price, self.input_tokens, output)


def too_tight(standings: Sequence[Standing], need: Need) -> list[Standing]:
    """Those that do not pay for the longest answer. Raises NoPrice."""
    return [found for found in standings if need.amount(found.budget, need.output_tokens) > found.left]


def output_paid_for(standings: Sequence[Standing], need: Need) -> int:
    """How many output tokens the call may be allowed. Raises NoRoom or NoPrice."""
    if not too_tight(standings, need):
        return need.output_tokens
    for share, least in ((2, GENEROUS_OUTPUT), (1, LEAST_OUTPUT)):
        output = min(_most_output(found.budget, need, found.left // share) for found in standings)
        if output >= min(least, need.output_tokens):
            return output
    least = min(LEAST_OUTPUT, need.output_tokens)
    tightest = min(standings, key=lambda found: _most_output(found.budget, need, found.left))
    raise NoRoom(tightest, need.amount(tightest.budget, least))


def _most_output(budget: Budget, need: Need, room: int) -> int:
    """How many output tokens fit into the room; below zero when not even the input does."""
    tokens = range(need.output_tokens + 1)
    return bisect_right(tokens, room, key=lambda output: need.amount(budget, output)) - 1
