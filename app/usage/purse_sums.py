"""What was spent from a purse on whole days, read from the sums: quick however much that was, and for showing only.

The counters that calls are held to are exact. These differ from them when the workspace moved to another time zone
in the middle of a period: a day keeps what counted to it then.
"""

from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.usage import days, reports
from app.usage.days import ONE_DAY
from app.usage.models import BudgetScope, Period, Unit
from app.usage.periods import Span
from app.usage.purses import Purse
from app.usage.questions import Filter, Question
from app.usage.ranges import Grain, Range
from app.usage.rollups import Total


async def spent_on_whole_days(session: AsyncSession, purse: Purse) -> tuple[int, Span | None]:
    """How much, and what remains of the purse's time before the first of these days; None: nothing of it."""
    span = purse.span
    if purse.budget.period == Period.MINUTE:
        return 0, span
    zone = await days.workspace_zone(session)
    first = _first_whole_day(span.start, zone)
    last = now().astimezone(zone).date() if span.end is None else span.end.astimezone(zone).date() - ONE_DAY
    total = Total()
    if first <= last:
        asked = Question(Range(first, last, last, Grain.DAY, last), _filter_of(purse))
        total = await reports.in_all(session, asked)
    begins = datetime.combine(first, time(), zone)
    return _amount(purse.budget.unit, total), replace(span, end=begins) if begins > span.start else None


def _first_whole_day(start: datetime, zone: ZoneInfo) -> date:
    local = start.astimezone(zone)
    return local.date() if local.time() == time() else local.date() + ONE_DAY


def _filter_of(purse: Purse) -> Filter:
    match purse.budget.scope:
        case BudgetScope.GROUP:
            return Filter(group=purse.subject)
        case BudgetScope.USER:
            return Filter(user=purse.subject)
        case BudgetScope.KEY:
            return Filter(key=purse.subject)
        case BudgetScope.MODEL:
            return Filter(model=purse.subject)
        case _:
            return Filter()


def _amount(unit: str, total: Total) -> int:
    match unit:
        case Unit.USD:
            return total.cost_micros
        case Unit.TOKENS:
            return total.tokens
        case Unit.REQUESTS:
            return total.requests
        case _:
            return 0
