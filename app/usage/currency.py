"""Money for people's eyes: counted in US dollars, shown in the workspace's currency.

In templates: `{{ micros|money }}`, `{{ micros|money(is_estimate) }}`, `{{ rate|money_rate }}`,
for administrators, who set prices in dollars, `{{ rate|dollar_rate }}`; `{{ (workspace|currency).name }}`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from app.accounts.models import Workspace
from app.core.templating import environment
from app.usage.pricing import MILLION, in_dollars

NO_PRICE = "No price"
MINUS = "\u2212"
NARROW = "\u00a0"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "UAH": "₴"}
SMALLEST = Decimal("0.0001")


@dataclass(frozen=True)
class Currency:
    """What money is shown in; `rate_micros` millionths of it are one US dollar, since the day `on`."""

    code: str = "USD"
    rate_micros: int = MILLION
    on: date | None = None

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.code, self.code + NARROW)

    @property
    def name(self) -> str:
        """What it is called beside a field to type an amount into."""
        return "US dollars" if self.code == "USD" else self.code

    @property
    def rate(self) -> str:
        """`1 USD = 0.92 EUR, the rate of 20 November 2026`; nothing where none is needed."""
        if self.code == "USD":
            return ""
        of_day = f", the rate of {self.on.day} {self.on:%B %Y}" if self.on else ""
        return f"1 USD = {in_dollars(self.rate_micros)} {self.code}{of_day}"

    def converted(self, micros: int) -> Decimal:
        """So many micro-US-dollars, in units of this currency."""
        return Decimal(micros) * self.rate_micros / MILLION / MILLION

    def in_micros(self, amount: Decimal) -> Decimal:
        """The other way round: whole micro-US-dollars where the amount was one of theirs."""
        if self.rate_micros == MILLION:
            return amount * MILLION
        return (amount * MILLION * MILLION / self.rate_micros).quantize(Decimal(1), ROUND_HALF_UP)


USD = Currency()


def currency_of(workspace: Workspace) -> Currency:
    return Currency(workspace.currency, workspace.exchange_rate_micros, workspace.exchange_rate_on)


def money(micros: int | None, currency: Currency = USD, *, is_estimate: bool = False) -> str:
    """`$0.0213`, `≈ $0.06`, `−$12.40`, `$1,204.00`; `No price` for what is not known."""
    if micros is None:
        return NO_PRICE
    amount = abs(currency.converted(micros))
    sign = MINUS if micros < 0 else ""
    mark = f"≈{NARROW}" if is_estimate else ""
    if 0 < amount < SMALLEST:
        return f"{mark}{sign}<{NARROW}{currency.symbol}{SMALLEST}"
    return f"{mark}{sign}{currency.symbol}{_figures(amount)}"


def money_rate(rate_micros: int, currency: Currency = USD) -> str:
    """A price for a million tokens, as short as it is exact to four digits behind the point: `$3`, `$0.15`, `$0.075`."""
    amount = currency.converted(rate_micros).quantize(SMALLEST, ROUND_HALF_UP).normalize()
    figures = f"{amount:,f}"
    whole, _, cents = figures.partition(".")
    return f"{currency.symbol}{whole}.{cents:0<2}" if cents else f"{currency.symbol}{whole}"


def install() -> None:
    """Teach the templates to show money."""
    environment.filters |= {
        "money": _money,
        "money_rate": _money_rate,
        "dollar_rate": money_rate,
        "currency": currency_of,
        "in_dollars": in_dollars,
    }


@pass_context
def _money(context: Context, micros: int | None, is_estimate: bool = False) -> str:
    return money(micros, _shown_in(context), is_estimate=is_estimate)


@pass_context
def _money_rate(context: Context, rate_micros: int) -> str:
    return money_rate(rate_micros, _shown_in(context))


def _shown_in(context: Context) -> Currency:
    workspace: Any = context["workspace"]
    return currency_of(workspace)


def _figures(amount: Decimal) -> str:
    """Cents for whole amounts, four digits for what is less than one, so that small costs can be told apart."""
    rounded = amount.quantize(SMALLEST, ROUND_HALF_UP)
    return f"{rounded:,f}" if 0 < rounded < 1 else f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"
