"""The chart: stacked bars, measured in the units of its picture. Pure: sums in, rectangles out.

A picture is WIDTH by HEIGHT units; the page draws it as SVG with nothing but attributes.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.usage.pricing import MILLION
from app.usage.questions import Bar, What
from app.usage.ranges import Grain, Range

WIDTH, HEIGHT = 760, 392
LEFT, TOP, BOTTOM = 44, 8, 368
GAP = 1.0
MOST_SERIES = 5
MOST_LABELS = 7
LOWEST_CEILING = 4
ROUND_TENTHS = (10, 12, 16, 20, 24, 32, 40, 60, 80, 100)
WEEKS_OF_HABIT = 4


@dataclass(frozen=True)
class Series:
    """A colour of the chart: a model, or all those that are too small for one of their own (`what` is None)."""

    what: What | None
    hue: int
    amount: int
    count: int = 1


@dataclass(frozen=True)
class Block:
    """A rectangle. `hue` is a number of a chart colour, 0 for the rest."""

    x: float
    y: float
    width: float
    height: float
    hue: int


@dataclass(frozen=True)
class Column:
    """One bar: its name, what it amounts to, by series, and how it is drawn. Still to come: only `expected`.

    `label` stands below it, and is empty below most.
    """

    name: str
    label: str
    amount: int
    parts: tuple[int, ...]
    blocks: tuple[Block, ...]
    x: float
    width: float
    centre: float
    expected: Block | None = None
    expected_amount: int = 0


@dataclass(frozen=True)
class Line:
    """A line of the grid at an amount."""

    y: float
    amount: int


@dataclass(frozen=True)
class Chart:
    """Everything that is drawn, and read in the table beside it."""

    columns: tuple[Column, ...]
    series: tuple[Series, ...]
    lines: tuple[Line, ...]

    @property
    def highest(self) -> Column | None:
        columns = [column for column in self.columns if column.amount > 0]
        return max(columns, key=lambda column: column.amount, default=None)

    @property
    def shown(self) -> list[Column]:
        """The columns that have passed, for the table."""
        return [column for column in self.columns if column.expected is None]


def chart(
    measured: Mapping[Bar, int],
    wanted: Range,
    expected: Mapping[str, int] | None = None,
    rate_micros: int = MILLION,
) -> Chart:
    """Bars for `wanted`, of what was measured; `expected` holds bars still to come.

    The scale is round in what is shown: millionths of it, `rate_micros`, are one of what was measured.
    """
    expected = expected or {}
    series = _largest(measured)
    index = {one.what: number for number, one in enumerate(series)}
    parts: dict[str, list[int]] = {name: [0] * len(series) for name in wanted.bars}
    for (bar, what), amount in measured.items():
        place = index.get(what, len(series) - 1)
        parts.setdefault(bar, [0] * len(series))[place] += amount
    highest = max([*(sum(amounts) for amounts in parts.values()), *expected.values()], default=0)
    top = ceiling(highest * rate_micros // MILLION) * MILLION // rate_micros
    step = (WIDTH - LEFT) / max(1, len(parts))
    names = sorted(parts)
    columns = [
        _column(name, label, parts[name], series, number, step, top, expected.get(name))
        for number, (name, label) in enumerate(zip(names, _labels(names), strict=True))
    ]
    # Where nothing was measured there is no scale.
    lines = list(_lines(top))[: None if highest > 0 else 1]
    return Chart(tuple(columns), tuple(series), tuple(lines))


def ceiling(highest: int) -> int:
    """The round amount at the top of the scale, at least `highest`; its quarters are round too."""
    if highest <= LOWEST_CEILING:
        return LOWEST_CEILING
    power: int = 10 ** int(math.log10(highest))
    return next(tenths * power // 10 for tenths in ROUND_TENTHS if tenths * power >= 10 * highest)


def expectation(by_day: Mapping[str, int], today: date, coming: Iterable[date]) -> dict[str, int]:
    """What each of the coming days will amount to, if they are like the same weekdays of the last four weeks.

    `by_day` holds the days before today; weeks before the first of them are not counted.
    """
    if not by_day:
        return {}
    begun = date.fromisoformat(min(by_day))
    expected = {}
    for day in coming:
        back = (today - day).days % 7 or 7
        weeks = [today - timedelta(days=back + 7 * week) for week in range(WEEKS_OF_HABIT)]
        known = [by_day.get(past.isoformat(), 0) for past in weeks if past >= begun]
        expected[day.isoformat()] = sum(known) // len(known) if known else _average(by_day)
    return expected


def _average(by_day: Mapping[str, int]) -> int:
    return sum(by_day.values()) // len(by_day)


def _largest(measured: Mapping[Bar, int]) -> list[Series]:
    """The largest models, each with a colour; then all others together, grey."""
    amounts: dict[What, int] = {}
    for bar, amount in measured.items():
        amounts[bar.what] = amounts.get(bar.what, 0) + amount
    ordered = sorted(amounts, key=lambda what: (-amounts[what], what))
    shown, rest = ordered[:MOST_SERIES], ordered[MOST_SERIES:]
    series = [Series(what, hue, amounts[what]) for hue, what in enumerate(shown, start=1)]
    if rest or not series:
        series.append(Series(None, 0, sum(amounts[what] for what in rest), len(rest)))
    return series


def _column(
    name: str,
    label: str,
    amounts: Sequence[int],
    series: Sequence[Series],
    number: int,
    step: float,
    top: int,
    expected: int | None,
) -> Column:
    width = step * 0.68
    x = LEFT + number * step + (step - width) / 2
    is_coming = expected is not None and not any(amounts)
    return Column(
        name=name,
        label=label,
        amount=sum(amounts),
        parts=tuple(amounts),
        blocks=tuple(_stack(amounts, series, x, width, top)),
        x=round(LEFT + number * step, 1),
        width=round(step, 1),
        centre=round(x + width / 2, 1),
        expected=_expected(expected or 0, x, width, top) if is_coming else None,
        expected_amount=expected or 0,
    )


def _stack(
    amounts: Sequence[int], series: Sequence[Series], x: float, width: float, top: int
) -> Iterable[Block]:
    """From the baseline up, largest series first, a thin gap between two."""
    y = float(BOTTOM)
    for amount, one in zip(amounts, series, strict=True):
        height = max(0, amount) / top * (BOTTOM - TOP)
        y -= height
        if height >= 0.3:
            drawn = max(0.6, height - GAP)
            yield Block(round(x, 1), round(y, 1), round(width, 1), round(drawn, 1), one.hue)


def _expected(amount: int, x: float, width: float, top: int) -> Block:
    height = amount / top * (BOTTOM - TOP)
    return Block(round(x, 1), round(BOTTOM - height, 1), round(width, 1), round(height, 1), 0)


def _lines(top: int) -> Iterable[Line]:
    for quarter in range(5):
        yield Line(round(BOTTOM - quarter / 4 * (BOTTOM - TOP), 1), top * quarter // 4)


def _labels(names: Sequence[str]) -> Iterator[str]:
    """What stands below each bar: at most MOST_LABELS times something."""
    every = math.ceil(len(names) / MOST_LABELS)
    before = ""
    for number, name in enumerate(names):
        if number % every == 0:
            yield _label(name, before)
            before = name
        else:
            yield ""


def _label(name: str, before: str) -> str:
    """`2026-11-20` → `20`, or `20 Nov` where the label before is of another month; `2026-11` → `Nov`."""
    if len(name) == len("2026-11"):
        return f"{date.fromisoformat(name + '-01'):%b}"
    day = date.fromisoformat(name)
    return f"{day.day}" if name[:7] == before[:7] else f"{day.day} {day:%b}"


def long_label(name: str, grain: Grain) -> str:
    """`Friday 20 November`, `Week of 16 November`, `November 2026`."""
    if grain is Grain.MONTH:
        return f"{date.fromisoformat(name + '-01'):%B %Y}"
    day = date.fromisoformat(name)
    return f"Week of {day.day} {day:%B}" if grain is Grain.WEEK else f"{day:%A} {day.day} {day:%B}"
