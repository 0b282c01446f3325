"""All budgets as they stand, for administrators; and those of one person that run out, for this person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.groups import group_of
from app.accounts.models import User
from app.usage.amounts import in_words, limit_in_words
from app.usage.budgets import read_book
from app.usage.counters import Standing, standings
from app.usage.currency import USD, Currency
from app.usage.models import Budget, BudgetCounter, BudgetScope, Unit
from app.usage.purses import Book, Payer, Purse
from app.usage.subjects import Subject, names_of, subject_of

MOST_OF_EACH = 5
"""Of a limit for each person: how many of them are shown, those who used the most."""


@dataclass(frozen=True)
class Line:
    """A purse in words. `tone` is that of its bar and badge."""

    name: str
    standing: Standing
    currency: Currency = USD

    @property
    def budget(self) -> Budget:
        return self.standing.budget

    @property
    def spent(self) -> str:
        return in_words(self.standing.spent, self.budget.unit, self.currency)

    @property
    def left(self) -> str:
        return in_words(max(0, self.standing.limit - self.standing.spent), self.budget.unit, self.currency)

    @property
    def limit(self) -> str:
        return limit_in_words(self.budget, self.currency)

    @property
    def percent(self) -> int:
        return min(100, self.standing.percent)

    @property
    def is_exceeded(self) -> bool:
        """More was used than a hard limit allows: it was set later, or a provider billed more than it was told."""
        return self.budget.is_hard and self.standing.spent > self.standing.limit

    @property
    def ends(self) -> datetime | None:
        return self.standing.purse.span.end

    @property
    def tone(self) -> str:
        if self.standing.is_spent:
            return "danger"
        return "warning" if self.standing.is_nearly_spent else ""


@dataclass(frozen=True)
class Card:
    """A budget with the purses that are worth showing: one, or those of each that are the fullest."""

    budget: Budget
    name: str
    lines: Sequence[Line]
    currency: Currency = USD

    @property
    def limit(self) -> str:
        return limit_in_words(self.budget, self.currency)

    @property
    def is_exceeded(self) -> bool:
        return any(line.is_exceeded for line in self.lines)

    @property
    def worst(self) -> str:
        """The tone of the purse that is closest to its end."""
        tones = {line.tone for line in self.lines}
        return "danger" if "danger" in tones else "warning" if "warning" in tones else ""


async def cards(session: AsyncSession, at: datetime, currency: Currency) -> list[Card]:
    """Every budget, in the order in which they were made."""
    book = await read_book(session)
    return await _cards(session, book, book.budgets, at, currency)


async def card(session: AsyncSession, budget: Budget, at: datetime, currency: Currency) -> Card:
    return (await _cards(session, await read_book(session), [budget], at, currency))[0]


async def warnings(
    session: AsyncSession, user: User, model: str, at: datetime, currency: Currency
) -> list[Line]:
    """The budgets that concern this person's next message and are nearly or wholly spent, the fullest first."""
    lines = await _lines_of(session, user, at, currency, model)
    return sorted((line for line in lines if line.tone), key=lambda line: -line.standing.percent)


async def own_lines(session: AsyncSession, user: User, at: datetime, currency: Currency) -> list[Line]:
    """What limits this person alone. What the others of a group used is not everybody's business."""
    lines = await _lines_of(session, user, at, currency)
    return [line for line in lines if line.budget.scope == BudgetScope.USER]


async def _lines_of(
    session: AsyncSession, user: User, at: datetime, currency: Currency, model: str = ""
) -> list[Line]:
    """The budgets that concern this person, with a model or with none in particular; rate limits are none."""
    book = await read_book(session)
    if not book.budgets:
        return []
    group = await group_of(session, user)
    payer = Payer(user.id, model, group.id if group else None)
    purses = [purse for purse in book.purses_of(payer, at) if not purse.budget.is_rate_limit]
    names = await names_of(session, {_subject(purse) for purse in purses})
    return [_line(standing, names, currency) for standing in await standings(session, purses)]


async def _cards(
    session: AsyncSession, book: Book, budgets: Sequence[Budget], at: datetime, currency: Currency
) -> list[Card]:
    purses = [purse for budget in budgets for purse in await _purses(session, book, budget, at)]
    found = await standings(session, purses)
    subjects = {subject_of(budget) for budget in budgets} | {_subject(purse) for purse in purses}
    names = await names_of(session, subjects)
    lines: dict[str, list[Line]] = {}
    for standing in found:
        lines.setdefault(standing.budget.id, []).append(_line(standing, names, currency))
    return [Card(budget, names[subject_of(budget)], lines.get(budget.id, []), currency) for budget in budgets]


async def _purses(session: AsyncSession, book: Book, budget: Budget, at: datetime) -> list[Purse]:
    if budget.unit == Unit.REPLIES:
        return []
    if not budget.is_for_each:
        return [book.purse(budget, budget.subject, at)]
    start = book.purse(budget, "", at).span.start
    fullest = (
        select(BudgetCounter.subject)
        .where(BudgetCounter.budget_id == budget.id, BudgetCounter.period_start == start)
        .order_by(BudgetCounter.spent.desc(), BudgetCounter.subject)
        .limit(MOST_OF_EACH)
    )
    return [book.purse(budget, subject, at) for subject in await session.scalars(fullest)]


def _line(standing: Standing, names: Mapping[Subject, str], currency: Currency) -> Line:
    return Line(names[_subject(standing.purse)], standing, currency)


def _subject(purse: Purse) -> Subject:
    return BudgetScope(purse.budget.scope), purse.subject
