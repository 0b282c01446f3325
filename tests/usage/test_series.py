"""Ranges of days and the bars of the chart, without a database."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.usage import days, ranges, series
from app.usage.questions import Bar, What
from app.usage.ranges import Grain


def days_of(period: str) -> list[str]:
    """The days of a month's sum, and a day's own."""
    if len(period) == len("2026-11-20"):
        return [period]
    first = date.fromisoformat(f"{period}-01")
    return days.names_between(first, days.last_of_month(first))


class TestRanges:
    TODAY = date(2026, 11, 20)

    def test_this_month_is_compared_with_the_same_days_of_the_last(self) -> None:
        month = ranges.chosen(self.TODAY)

        assert (month.title, month.compared_with) == ("1 to 20 November 2026", "the same days of October")
        assert month.cover.added == ["2026-11"], "nothing lies after today: the month's sum will do"
        assert month.before.cover.added == ["2026-10"]
        assert month.before.cover.taken_away[0] == "2026-10-21"
        assert len(month.bars) == 30

    def test_a_range_is_covered_by_the_fewest_sums(self) -> None:
        asked = ranges.chosen(self.TODAY, first="2026-08-30", last="2026-10-29")

        assert asked.cover.added == ["2026-08-30", "2026-08-31", "2026-09", "2026-10"]
        assert asked.cover.taken_away == ["2026-10-30", "2026-10-31"]

    @given(some.dates(date(2024, 1, 1), date(2026, 12, 31)), some.integers(0, 500))
    def test_a_cover_makes_up_every_day_once(self, first: date, length: int) -> None:
        last = first + timedelta(days=length)
        cover = days.cover_between(first, last)
        added = [day for period in cover.added for day in days_of(period)]

        assert sorted({*added} - {*cover.taken_away}) == days.names_between(first, last)
        assert len(added) == length + 1 + len(cover.taken_away)
        assert len(cover.added) + len(cover.taken_away) <= 16 + length // 28 + 16

    def test_weeks_begin_on_mondays(self) -> None:
        weeks = ranges.chosen(self.TODAY, first="2026-11-01", last="2026-11-20", grain="week")

        assert weeks.grain is Grain.WEEK
        assert weeks.bars == ["2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16"]

    def test_the_end_of_march_is_compared_with_the_end_of_february(self) -> None:
        before = ranges.chosen(date(2026, 3, 31)).before

        assert (before.first, before.last) == (date(2026, 2, 1), date(2026, 2, 28))


class TestChart:
    def test_small_models_are_grey_together(self) -> None:
        month = ranges.chosen(date(2026, 11, 20))
        measured = {Bar("2026-11-03", What("house", f"m{number}")): 100 - number for number in range(8)}

        drawn = series.chart(measured, month)

        assert [one.hue for one in drawn.series] == [1, 2, 3, 4, 5, 0]
        assert drawn.series[-1].count == 3
        assert drawn.highest is not None
        assert drawn.highest.amount == sum(100 - number for number in range(8))
        assert sum(column.amount for column in drawn.columns) == drawn.highest.amount

    def test_what_is_to_come_is_like_the_same_weekdays(self) -> None:
        today = date(2026, 11, 20)
        by_day = {(today - timedelta(days=back)).isoformat(): back % 7 for back in range(1, 29)}

        expected = series.expectation(by_day, today, [today + timedelta(days=1), today + timedelta(days=7)])

        assert expected == {"2026-11-21": 6, "2026-11-27": 0}

    @pytest.mark.parametrize(
        ("highest", "top"), [(0, 4), (3, 4), (37_000_000, 40_000_000), (99, 100), (1_004, 1_200)]
    )
    def test_the_scale_ends_on_a_round_number(self, highest: int, top: int) -> None:
        assert series.ceiling(highest) == top

    @pytest.mark.parametrize(
        ("first", "last", "grain", "labels"),
        [
            ("2026-11-01", "2026-11-20", "day", "1 Nov, 4, 7, 10, 13, 16, 19"),
            ("2026-10-28", "2026-11-03", "day", "28 Oct, 29, 30, 31, 1 Nov, 2, 3"),
            ("2026-09-01", "2026-11-20", "day", "1 Sep, 13, 25, 7 Oct, 19, 31, 12 Nov"),
            ("2026-09-01", "2026-11-20", "week", "31 Aug, 14 Sep, 28, 12 Oct, 26, 9 Nov"),
            ("2026-06-01", "2026-11-20", "month", "Jun, Jul, Aug, Sep, Oct, Nov"),
        ],
    )
    def test_the_axis_names_a_month_where_it_begins_to_speak_of_it(
        self, first: str, last: str, grain: str, labels: str
    ) -> None:
        asked = ranges.chosen(date(2026, 11, 20), first=first, last=last, grain=grain)

        assert ", ".join(filter(None, (column.label for column in series.chart({}, asked).columns))) == labels

    def test_the_scale_is_round_in_another_currency_too(self) -> None:
        month = ranges.chosen(date(2026, 11, 20))
        measured = {Bar("2026-11-20", What("openai", "gpt-5")): 50_000_000}

        drawn = series.chart(measured, month, rate_micros=920_000)

        shown = [round(line.amount * 92 / 100, -2) for line in drawn.lines]
        assert shown == [0, 15_000_000, 30_000_000, 45_000_000, 60_000_000]

    @pytest.mark.parametrize("measured", [{}, {Bar("2026-11-20", What("house", "llama3.2")): 0}])
    def test_where_nothing_was_paid_there_is_no_scale(self, measured: dict[Bar, int]) -> None:
        drawn = series.chart(measured, ranges.chosen(date(2026, 11, 20)))

        assert [line.amount for line in drawn.lines] == [0]
