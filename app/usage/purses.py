"""Which budgets a call concerns, and in which period: pure.

A purse is what one budget has for one subject in one period; it is what a call is paid from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from app.usage.models import EACH, Budget, BudgetScope, Unit
from app.usage.periods import Span, span_of
from app.values import value

PurseKey = tuple[str, str, datetime]
"""Of a purse: the budget's id, the subject, and when the period began."""
MOST_PAYERS = 10_000
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@value
class Payer:
    """Whose budgets a call concerns. `model` is `connection/model`."""

    user_id: str
    model: str
    group_id: str | None = None
    api_key_id: str | None = None

    def subject(self, scope: str) -> str | None:
        """Who or what this is in a scope; None when there is no such thing, such as a key in the browser."""
        match scope:
            case BudgetScope.GROUP:
                return self.group_id
            case BudgetScope.USER:
                return self.user_id
            case BudgetScope.KEY:
                return self.api_key_id
            case BudgetScope.MODEL:
                return self.model
            case _:
                return ""


@dataclass(frozen=True)
class Purse:
    budget: Budget
    subject: str
    span: Span

    @cached_property
    def key(self) -> PurseKey:
        return (self.budget.id, self.subject, self.span.start)


@dataclass(frozen=True)
class Book:
    """All budgets, and the time zone of their periods: read once, asked often."""

    budgets: tuple[Budget, ...] = ()
    timezone: str = "UTC"
    _found: dict[Payer, "_Purses"] = field(default_factory=dict, compare=False, repr=False)

    def purses_of(self, payer: Payer, at: datetime) -> Sequence[Purse]:
        """Every purse that a call made at `at` counts to, in the order of their keys."""
        return self._purses(payer, at).all

    def binding(self, payer: Payer, at: datetime) -> Sequence[Purse]:
        """Those of them that may refuse it. What was set for one alone goes before what was set for each."""
        return self._purses(payer, at).binding

    def _purses(self, payer: Payer, at: datetime) -> "_Purses":
        """Asked for each call, before and after; the same as last time until one of the payer's periods ends."""
        known = self._found.get(payer)
        if known is None or not known.since <= at < known.until:
            if len(self._found) >= MOST_PAYERS:
                self._found.clear()
            known = self._found[payer] = self._find(payer, at)
        return known

    def _find(self, payer: Payer, at: datetime) -> "_Purses":
        found = [self.purse(*about, at) for about in self._concerning(payer)]
        # A budget for good counts from the day on which it was made.
        purses = tuple(sorted((one for one in found if at >= one.span.start), key=lambda purse: purse.key))
        turns = [moment for one in found for moment in (one.span.start, one.span.end) if moment is not None]
        return _Purses(
            since=max((moment for moment in turns if moment <= at), default=EARLIEST),
            until=min((moment for moment in turns if moment > at), default=LATEST),
            all=purses,
            binding=tuple(_binding(purses)),
        )

    def purse(self, budget: Budget, subject: str, at: datetime) -> Purse:
        return Purse(budget, subject, span_of(budget.period, at, self.timezone, budget.created_at))

    def _concerning(self, payer: Payer) -> Iterator[tuple[Budget, str]]:
        """The budgets with the subject that they count for: asked for each call, however many there are."""
        for scope in BudgetScope:
            subject = payer.subject(scope)
            if subject is not None:
                for name in {subject, EACH}:
                    yield from ((budget, subject) for budget in self._by_subject.get((scope, name), ()))

    @cached_property
    def _by_subject(self) -> dict[tuple[str, str], list[Budget]]:
        found: dict[tuple[str, str], list[Budget]] = {}
        for budget in self.budgets:
            found.setdefault((budget.scope, budget.subject), []).append(budget)
        return found


class Used(Protocol):
    """What counts of a line of the ledger."""

    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cost_micros(self) -> int | None: ...
    @property
    def correction_of(self) -> str | None: ...


def amount_of(unit: str, used: Used) -> int:
    """How much of a budget in `unit` was used. Without a price it is no money; a correction is no request."""
    match unit:
        case Unit.USD:
            return used.cost_micros or 0
        case Unit.TOKENS:
            return used.input_tokens + used.output_tokens
        case Unit.REQUESTS:
            return 0 if used.correction_of else 1
        case _:
            return 0


def spent_from(book: Book, payer: Payer, at: datetime, used: Used) -> Iterator[tuple[PurseKey, int]]:
    """What a line of the ledger takes out of each purse."""
    for purse in book.purses_of(payer, at):
        if amount := amount_of(purse.budget.unit, used):
            yield purse.key, amount


@dataclass(frozen=True)
class _Purses:
    """Those of one payer, for calls made from `since` on and before `until`."""

    since: datetime
    until: datetime
    all: tuple[Purse, ...]
    binding: tuple[Purse, ...]


def _binding(purses: Sequence[Purse]) -> Iterator[Purse]:
    hard = [purse for purse in purses if purse.budget.is_hard]
    exceptions = {_kind(purse.budget) for purse in hard if _is_exception(purse.budget)}
    for purse in hard:
        if not (purse.budget.is_for_each and _kind(purse.budget) in exceptions):
            yield purse


def _kind(budget: Budget) -> tuple[str, str, str]:
    return budget.scope, budget.unit, budget.period


def _is_exception(budget: Budget) -> bool:
    """A person's own cap is none: it can only be lower."""
    return not budget.is_for_each and not budget.is_own
