"""Money for people's eyes: counted in US dollars, shown in the workspace's currency.

In templates: `{{ micros|money }}`, `{{ micros|money(is_estimate) }}`, `{{ rate|money_rate }}`,
and for administrators, who set prices in dollars, `{{ rate|dollar_rate }}`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.accounts.models import Workspace
from app.accounts.workspace import CHANGED, STREAM, stored_or_new
from app.core.database import after_commit
from app.core.errors import Invalid
from app.core.templating import environment
from app.live.hub import Hub
from app.usage.pricing import MILLION

NO_PRICE = "No price"
MINUS = "\u2212"
NARROW = "\u00a0"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "UAH": "₴"}
SMALLEST = Decimal("0.0001")
LONGEST_CODE = 3


@dataclass(frozen=True)
class Currency:
    """What money is shown in; `rate_micros` millionths of it are one US dollar, since the day `on`."""

    code: str = "USD"
    rate_micros: int = MILLION
    on: date | None = None

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.code, self.code + NARROW)

    def converted(self, micros: int) -> Decimal:
        """So many micro-US-dollars, in units of this currency."""
        return Decimal(micros) * self.rate_micros / MILLION / MILLION


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
    """A price for a million tokens, as short as it is exact to the cent's tenth: `$3`, `$0.15`, `$0.075`."""
    amount = currency.converted(rate_micros).quantize(SMALLEST, ROUND_HALF_UP).normalize()
    figures = f"{amount:,f}"
    whole, _, cents = figures.partition(".")
    return f"{currency.symbol}{whole}.{cents:0<2}" if cents else f"{currency.symbol}{whole}"


async def change(session: AsyncSession, hub: Hub, act: Act, *, code: str, rate: str, on: date) -> Workspace:
    """Show money in another currency, at `rate` units for one US dollar as of a day. Raises Invalid."""
    code = code.strip().upper() or "USD"
    if len(code) != LONGEST_CODE or not (code.isascii() and code.isalpha()):
        raise Invalid("A currency has three letters, such as EUR.", field="code")
    row = await stored_or_new(session)
    row.currency, row.exchange_rate_on = code, on
    row.exchange_rate_micros = MILLION if code == "USD" else _rate(rate)
    session.add(row)
    detail = f"1 USD = {Decimal(row.exchange_rate_micros) / MILLION:f} {code} as of {on:%Y-%m-%d}"
    audit.record(session, act.actor, "currency.changed", subject=code, detail=detail, address=act.address)
    after_commit(session, lambda: hub.publish(STREAM, CHANGED))
    return row


def install() -> None:
    """Teach the templates to show money."""
    environment.filters |= {"money": _money, "money_rate": _money_rate, "dollar_rate": money_rate}


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


def _rate(typed: str) -> int:
    try:
        rate = Decimal(typed.strip())
    except InvalidOperation:
        raise Invalid("Write how much one US dollar is, such as 0.92.", field="rate") from None
    micros = int(rate * MILLION) if rate.is_finite() and rate < MILLION else 0
    if micros <= 0:
        raise Invalid("The rate is more than zero and less than a million.", field="rate")
    return micros
