"""Where budgets are going: what each comes to by the end of its period, if it goes on as until now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.usage import budget_overview, days
from app.usage.access import View
from app.usage.amounts import in_words
from app.usage.budget_overview import Line
from app.usage.currency import Currency
from app.usage.days import ONE_DAY
from app.usage.models import BudgetScope

MOST_SHOWN = 5
LEAST_ELAPSED = timedelta(hours=1)
"""Sooner nothing can be said of a pace."""


@dataclass(frozen=True)
class Pace:
    """A budget and what will become of it. `forecast` is in percent of the limit, at most 100."""

    line: Line
    forecast: int
    sentence: str


async def paces(session: AsyncSession, view: View, at: datetime, currency: Currency) -> list[Pace]:
    """The fullest of the budgets that a view may know of; days are the workspace's."""
    lines = await _lines(session, view, at, currency)
    fullest = sorted(lines, key=lambda line: -line.standing.percent)[:MOST_SHOWN]
    local = at.astimezone(await days.workspace_zone(session))
    return [pace_of(line, local) for line in fullest]


def pace_of(line: Line, at: datetime) -> Pace:
    """How a budget will stand at the end of its period, in a sentence; days are those of `at`'s zone."""
    if line.standing.is_spent:
        return Pace(
            line, 100, "Spent." if line.ends is None else f"Spent. Starts again on {_day(line.ends, at)}."
        )
    start, end = line.standing.purse.span.start, line.ends
    elapsed = at - start
    if end is None or elapsed < LEAST_ELAPSED:
        return Pace(line, line.percent, f"{line.left} left.")
    projected = round(line.standing.spent * ((end - start) / elapsed))
    if projected <= line.budget.amount:
        percent = round(100 * projected / line.budget.amount)
        return Pace(
            line,
            percent,
            f"At this pace {in_words(projected, line.budget.unit, line.currency)} by the end of {_day(end - ONE_DAY, at)}.",
        )
    spent_on = start + elapsed * (line.budget.amount / line.standing.spent)
    return Pace(line, 100, f"At this pace spent on {_day(spent_on, at)}.")


async def _lines(session: AsyncSession, view: View, at: datetime, currency: Currency) -> Sequence[Line]:
    if view.is_own:
        return await budget_overview.own_lines(session, view.viewer, at, currency)
    lines = [line for card in await budget_overview.cards(session, at, currency) for line in card.lines]
    if not view.is_of_group:
        return lines
    return [
        line
        for line in lines
        if line.budget.scope == BudgetScope.GROUP and line.standing.purse.subject == view.limit.group
    ]


def _day(moment: datetime, at: datetime) -> str:
    moment = moment.astimezone(at.tzinfo)
    return f"{moment.day} {moment:%B}"
