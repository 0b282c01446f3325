"""Figures for people's eyes, on pages of usage: amounts, changes and durations."""

from app.usage.currency import MINUS, Currency, money
from app.usage.dashboard import Dashboard
from app.usage.rollups import Total
from app.usage.series import long_label

THIN = "\u202f"


def amount(currency: Currency, measure: str, value: int) -> str:
    """A value of the chart: `$12.40`, or `1.2 M`."""
    return money(value, currency) if measure == "cost" else short(value)


def axis(currency: Currency, measure: str, value: int) -> str:
    """The same beside a line of the grid, where cents would be noise."""
    if measure != "cost":
        return short(value)
    text = money(value, currency)
    whole, _, cents = text.partition(".")
    return whole if not cents.strip("0") else text.rstrip("0")


def cost(currency: Currency, total: Total, *, is_estimate: bool = False) -> str:
    """What it cost; `No price` where nothing of it had one."""
    return money(total.cost_micros if total.is_priced else None, currency, is_estimate=is_estimate)


def short(number: int) -> str:
    """48200000 → `48.2 M`, 9412 → `9,412`, 18200 → `18.2 k`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if abs(number) >= size:
            return f"{number / (1_000 if unit == 'k' else size):.1f}{THIN}{unit}"
    return f"{number:,}"


def change(value: int, before: int) -> str:
    """`+12 %`, `−4 %`; `new` when there was nothing before, and nothing when there is nothing to say."""
    if before <= 0:
        return "new" if value > 0 else ""
    percent = round(100 * (value - before) / before)
    return f"{MINUS if percent < 0 else '+'}{abs(percent)}{THIN}%"


def percent(part: int, whole: int) -> str:
    """`2.1 %`, `61 %`; of nothing it is `0 %`."""
    share = 100 * part / whole if whole > 0 else 0
    return f"{share:.0f}{THIN}%" if share >= 10 or share == 0 else f"{share:.1f}{THIN}%"


def seconds(milliseconds: int | None) -> str:
    """`0.62 s`, `14 s`; a dash when nothing was measured."""
    if milliseconds is None:
        return "–"
    value = milliseconds / 1000
    return f"{value:.2f}{THIN}s" if value < 10 else f"{value:.0f}{THIN}s"


def described(page: Dashboard, currency: Currency) -> str:
    """The chart in a sentence, for those who listen."""
    asked = page.question.range
    what = "Cost" if page.measure == "cost" else "Tokens"
    told = f"{what} by {asked.grain}, {asked.title}, stacked by model."
    highest = page.chart.highest
    if highest is None:
        return told
    return f"{told} Highest: {long_label(highest.name, asked.grain)}, {amount(currency, page.measure, highest.amount)}."
