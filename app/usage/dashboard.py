"""A page of usage, put together: what its cards, chart and tables show, before any of it is HTML or JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.usage import calculator, reports, series, timings
from app.usage.access import View, Wish, question
from app.usage.calculator import Comparison, Plan
from app.usage.names import Names, names
from app.usage.pricing import MILLION
from app.usage.questions import Measure, Question, What, Who
from app.usage.ranges import Grain, Range, remaining
from app.usage.reports import Conversation
from app.usage.rollups import Total
from app.usage.series import Chart
from app.usage.timings import Times

MOST_ROWS = 8
DAYS_OF_HABIT = timedelta(days=28)


@dataclass(frozen=True)
class Row:
    """One person, group, key or origin, by id, and what they used."""

    id: str
    total: Total


@dataclass(frozen=True)
class ModelRow:
    """One model, what was used of it, and how long it took. `hue` is its colour in the chart, 0 for the rest."""

    what: What
    total: Total
    times: Times
    hue: int


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page. Lists are sorted by what is measured, the most first."""

    view: View
    question: Question
    measure: Measure
    total: Total
    before: Total
    times: Times
    chart: Chart
    models: list[ModelRow]
    people: list[Row]
    groups: list[Row]
    keys: list[Row]
    origins: list[Row]
    conversations: list[Conversation] | None
    projected: int | None
    """What is measured, by the end of the month; None unless the month is going on."""
    comparisons: list[Comparison]
    known_models: list[What]
    names: Names

    @property
    def times_are_of_everybody(self) -> bool:
        wanted = self.question.filter
        return not wanted.user and bool(wanted.group or wanted.key or wanted.origin)

    @property
    def is_empty(self) -> bool:
        return self.total.requests == 0

    def amount(self, total: Total) -> int:
        """What is being measured, of a total."""
        return self.measure.of(total)

    def share(self, row: Row | ModelRow, rows: Sequence[Row] | Sequence[ModelRow]) -> int:
        """How long a row's bar is, in percent of the first and longest of its list."""
        longest = self.amount(rows[0].total)
        return round(100 * self.amount(row.total) / longest) if longest > 0 else 0


async def dashboard(
    session: AsyncSession,
    view: View,
    wish: Wish,
    plan: Plan | None = None,
    *,
    rate_micros: int = MILLION,
) -> Dashboard:
    """What `view` shows of what was wished for. Raises Invalid.

    `rate_micros` is that of the currency in which the chart's scale is to be round.
    """
    asked = await question(session, view, wish)
    measure = Measure(wish.measure) if wish.measure in list(Measure) else Measure.COST
    by_model = await reports.by_model(session, asked)
    by_who = await reports.by_who(session, asked)
    times = await timings.times(session, asked)
    total = reports.together(by_model.values())
    expected = await _expected(session, asked, measure)
    scale = rate_micros if measure is Measure.COST else MILLION
    drawn = series.chart(await reports.by_bar(session, asked, measure), asked.range, expected, scale)
    known = await reports.known_models(session, Question(asked.range, view.limit))
    compared = await calculator.comparisons(
        session, view.viewer, plan.total if plan is not None else total, by_model, now()
    )
    return Dashboard(
        view=view,
        question=asked,
        measure=measure,
        total=total,
        before=await reports.in_all(session, asked.before),
        times=timings.all_times({what: times[what] for what in by_model if what in times}),
        chart=drawn,
        models=_model_rows(by_model, times, drawn, measure),
        people=rows_of(by_who, "user_id", measure),
        groups=rows_of(by_who, "group_id", measure),
        keys=rows_of(by_who, "api_key_id", measure),
        origins=rows_of(by_who, "origin", measure),
        conversations=await reports.conversations(session, asked),
        projected=measure.of(total) + sum(expected.values()) if expected else None,
        comparisons=compared,
        known_models=known,
        names=await names(
            session,
            view.viewer,
            keys={who.api_key_id for who in by_who},
            asked_for=asked.filter.key,
            models={what.full_name for what in (*by_model, *known, *(one.what for one in compared))},
        ),
    )


def rows_of(by_who: Mapping[Who, Total], part: str, measure: Measure) -> list[Row]:
    rows = [Row(name, total) for name, total in reports.summed_by(by_who, part).items()]
    return sorted(rows, key=lambda row: (-measure.of(row.total), -row.total.requests, row.id))


def _model_rows(
    by_model: Mapping[What, Total], times: Mapping[What, Times], drawn: Chart, measure: Measure
) -> list[ModelRow]:
    hues = {one.what: one.hue for one in drawn.series}
    rows = [
        ModelRow(what, total, times.get(what, Times()), hues.get(what, 0)) for what, total in by_model.items()
    ]
    return sorted(rows, key=lambda row: (-measure.of(row.total), -row.total.tokens, row.what))


async def _expected(session: AsyncSession, asked: Question, measure: Measure) -> dict[str, int]:
    """What the rest of a month that is going on will bring, day by day."""
    coming = list(remaining(asked.range))
    if not coming:
        return {}
    today = asked.range.last
    yesterday = today - timedelta(days=1)
    habit = Range(today - DAYS_OF_HABIT, yesterday, yesterday, Grain.DAY, yesterday)
    amounts = await reports.by_day(session, Question(habit, asked.filter), measure)
    return series.expectation(amounts, today, coming)
