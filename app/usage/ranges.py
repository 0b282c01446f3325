"""The range of days that a page of usage is about, and the days it is compared with. Pure; today is passed in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from app.core.errors import Invalid
from app.usage import days
from app.usage.days import ONE_DAY, Cover

WEEK = timedelta(days=7)
LONGEST = timedelta(days=3 * 366)
MOST_BARS_OF_DAYS = 93
MOST_DAYS_IN_WEEKS = 190
DAY_AND_MONTH = "{0.day} {0:%B}"


class Grain(StrEnum):
    """What one bar stands for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Range:
    """The days from `first` to `last`, both included. `end` is the last day that the chart has room for."""

    first: date
    last: date
    end: date
    grain: Grain
    known_until: date
    """The last day that sums may cover: the end of a month that is going on, whose rest holds nothing yet."""
    name: str = "custom"
    """`7d`, `month`, `year` or `custom`: which segment is chosen."""

    @cached_property
    def cover(self) -> Cover:
        """The fewest sums that make it up."""
        return days.cover_between(self.first, self.known_until)

    @property
    def periods_of_bars(self) -> list[str]:
        """The sums that can be told apart by bar; months of which only a part is asked for come as days."""
        if self.grain is Grain.MONTH:
            return days.periods_between(self.first, self.known_until)
        return days.names_between(self.first, self.last)

    @property
    def months(self) -> list[str]:
        """Every month that it touches."""
        return list(dict.fromkeys(day[:7] for day in days.names_between(self.first, self.last)))

    @property
    def before(self) -> "Range":
        """What it is compared with: the same days of the month before, else as many days just before."""
        if self.name == "month":
            first, last = days.months_earlier(self.first, 1), days.months_earlier(self.last, 1)
        elif self.name == "year":
            first, last = days.months_earlier(self.first, 12), days.months_earlier(self.last, 12)
        else:
            last = self.first - ONE_DAY
            first = last - (self.last - self.first)
        return Range(first, last, last, self.grain, last, self.name)

    @property
    def bars(self) -> list[str]:
        """The names of the bars, in order: the first day of each week, months as `2026-11`."""
        return list(
            dict.fromkeys(self.bar_of(day.isoformat()) for day in days.days_between(self.first, self.end))
        )

    def bar_of(self, period: str) -> str:
        """The bar that a sum of `periods_of_bars` belongs to."""
        if self.grain is Grain.MONTH:
            return period[:7]
        if self.grain is Grain.WEEK:
            day = date.fromisoformat(period)
            return (day - day.weekday() * ONE_DAY).isoformat()
        return period

    @property
    def title(self) -> str:
        return in_words(self.first, self.last)

    @property
    def compared_with(self) -> str:
        """`the same days of October`, `14 to 20 October`."""
        before = self.before
        if self.name == "month":
            return f"the same days of {before.first:%B}"
        if self.name == "year":
            return "the year before"
        return in_words(before.first, before.last)

    @property
    def grains(self) -> list[Grain]:
        """What the bars may stand for: never more bars than can be told apart."""
        length = (self.end - self.first).days + 1
        return [
            *([Grain.DAY] if length <= MOST_BARS_OF_DAYS else []),
            *([Grain.WEEK] if 7 < length <= MOST_DAYS_IN_WEEKS else []),
            *([Grain.MONTH] if length > 31 else []),
        ]


def chosen(today: date, *, period: str = "", first: str = "", last: str = "", grain: str = "") -> Range:
    """The range that an address asks for; this month when it asks for nothing. Raises Invalid."""
    if first or last:
        wanted = _between(_parsed(first or last), _parsed(last) if last else today, today)
    else:
        wanted = _named(period, today)
    usual = next(iter(wanted.grains), Grain.DAY) if wanted.name != "year" else Grain.MONTH
    fitting = grain if grain in wanted.grains else usual
    return replace(wanted, grain=Grain(fitting))


def month(name: str, today: date) -> Range:
    """A whole month, such as `2026-10`, as far as it has passed. Raises Invalid."""
    first = _parsed(f"{name}-01")
    if first > today:
        raise Invalid("That month has not begun yet.", field="month")
    end = days.last_of_month(first)
    return Range(first, min(end, today), end, Grain.DAY, end, "month")


def in_words(first: date, last: date) -> str:
    """`1 to 20 November 2026`; what both days share is said once."""
    if first == last:
        return f"{DAY_AND_MONTH.format(first)} {first.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {DAY_AND_MONTH.format(last)} {last.year}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{DAY_AND_MONTH.format(first)}{year} to {DAY_AND_MONTH.format(last)} {last.year}"


def remaining(wanted: Range) -> Iterator[date]:
    """The days that are still to come."""
    return days.days_between(wanted.last + ONE_DAY, wanted.end)


def _named(period: str, today: date) -> Range:
    if period == "7d":
        return Range(today - 6 * ONE_DAY, today, today, Grain.DAY, today, "7d")
    if period == "year":
        first = days.months_earlier(days.first_of_month(today), 11)
        return Range(first, today, today, Grain.MONTH, days.last_of_month(today), "year")
    end = days.last_of_month(today)
    return Range(days.first_of_month(today), today, end, Grain.DAY, end, "month")


def _between(first: date, last: date, today: date) -> Range:
    if first > last:
        raise Invalid("The first day is after the last one. Exchange them.", field="from")
    if last - first > LONGEST:
        raise Invalid("At most three years can be looked at together.", field="from")
    known_until = last if last < today else max(last, days.last_of_month(today))
    return Range(first, last, last, Grain.DAY, known_until)


def _parsed(day: str) -> date:
    try:
        parsed = date.fromisoformat(day)
    except ValueError as error:
        raise Invalid("Write days like 2026-11-20.", field="from") from error
    if not 2000 <= parsed.year <= 2200:
        raise Invalid("Write days between 2000 and 2200.", field="from")
    return parsed
