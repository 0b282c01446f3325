"""When a budget's period begins and ends, on the workspace's calendar. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.usage.models import Period

LENGTHS = {Period.DAY: timedelta(days=1), Period.WEEK: timedelta(days=7)}


@dataclass(frozen=True)
class Span:
    """From `start` on and before `end`, both in UTC; `end` is None when it never ends."""

    start: datetime
    end: datetime | None


def span_of(period: str, at: datetime, timezone: str, since: datetime) -> Span:
    """The period that `at` lies in. One that never ends began with the budget, `since`."""
    if period == Period.TOTAL:
        return Span(since, None)
    if period == Period.MINUTE:
        start = at.astimezone(UTC).replace(second=0, microsecond=0)
        return Span(start, start + timedelta(minutes=1))
    today = at.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period == Period.MONTH:
        first = today.replace(day=1)
        return Span(first.astimezone(UTC), _next_month(first).astimezone(UTC))
    first = today - timedelta(days=today.weekday()) if period == Period.WEEK else today
    # Days are added on the calendar, not in hours: some have 23 of them and some 25.
    return Span(first.astimezone(UTC), (first + LENGTHS[Period(period)]).astimezone(UTC))


def _next_month(first: datetime) -> datetime:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
