"""Days and months of the workspace: what a moment counts to, and which sums cover a range of days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Workspace

ONE_DAY = timedelta(days=1)
UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Cover:
    """Sums that make up a range of days: all of `added`, less all of `taken_away`."""

    added: list[str]
    taken_away: list[str]


async def workspace_zone(session: AsyncSession) -> ZoneInfo:
    """The time zone in which the workspace's days begin; UTC unless an administrator chose another."""
    return zone_named(await session.scalar(select(Workspace.timezone)) or "UTC")


def zone_named(name: str) -> ZoneInfo:
    """The zone of this name; an unknown one counts as UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def day_of(moment: datetime, zone: ZoneInfo) -> str:
    """The day that a moment falls on, as `2026-11-20`."""
    return moment.astimezone(zone).date().isoformat()


def periods_between(first: date, last: date) -> list[str]:
    """The fewest sums that cover the days from `first` to `last`: whole months (`2026-10`), else days."""
    periods, day = [], first
    while day <= last:
        end = last_of_month(day)
        if day.day == 1 and end <= last:
            periods.append(f"{day:%Y-%m}")
            day = end + ONE_DAY
        else:
            periods.append(day.isoformat())
            day += ONE_DAY
    return periods


def cover_between(first: date, last: date) -> Cover:
    """The fewest sums that make up the days from `first` to `last`: of a month of which most is wanted, the whole
    of it less the days that are not."""
    added: list[str] = []
    taken_away: list[str] = []
    month = first_of_month(first)
    while month <= last:
        end = last_of_month(month)
        wanted = names_between(max(first, month), min(last, end))
        others = names_between(month, first - ONE_DAY) + names_between(last + ONE_DAY, end)
        if len(wanted) > len(others):
            added.append(f"{month:%Y-%m}")
            taken_away += others
        else:
            added += wanted
        month = end + ONE_DAY
    return Cover(added, taken_away)


def names_between(first: date, last: date) -> list[str]:
    """Every day from `first` to `last`, as `2026-11-20`; none when `last` is before `first`."""
    return [day.isoformat() for day in days_between(first, last)]


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + number * ONE_DAY


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    return first_of_next_month(day) - ONE_DAY


def first_of_next_month(day: date) -> date:
    return (day.replace(day=28) + 4 * ONE_DAY).replace(day=1)


def months_earlier(day: date, count: int) -> date:
    """The same day `count` months before, or that month's last day where it has no such day."""
    months = day.year * 12 + day.month - 1 - count
    first = date(months // 12, months % 12 + 1, 1)
    return min(first.replace(day=1) + (day.day - 1) * ONE_DAY, last_of_month(first))
