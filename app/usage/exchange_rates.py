"""What one US dollar was in the workspace's currency, from day to day, as administrators entered it.

Nothing that is stored is ever converted. Pages show all amounts at the newest rate, so that they add up; a
statement, which is kept, shows those of its month at the rate that held when the month ended.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.accounts.models import Workspace
from app.accounts.workspace import CHANGED, STREAM, stored_or_new
from app.core.database import after_commit
from app.core.errors import Invalid
from app.live.hub import Hub
from app.usage.currency import USD, Currency, currency_of
from app.usage.models import ExchangeRate
from app.usage.pricing import MILLION

LENGTH_OF_A_CODE = 3


async def change(
    session: AsyncSession, hub: Hub, act: Act, *, code: str, rate: str, on: date, today: date
) -> Workspace:
    """Show money in a currency; `rate` units of it are one US dollar from the day `on`. Raises Invalid.

    An earlier day than that of the newest rate completes the history, and changes nothing that pages show.
    """
    code = code.strip().upper() or USD.code
    if len(code) != LENGTH_OF_A_CODE or not (code.isascii() and code.isalpha()):
        raise Invalid("A currency has three letters, such as EUR.", field="code")
    if on > today:
        raise Invalid("A rate of a day to come is not known yet. Choose today or an earlier day.", field="on")
    micros = MILLION if code == USD.code else _rate(rate)
    if code != USD.code:
        session.add(ExchangeRate(currency=code, rate_micros=micros, since=on, created_by=act.by))
        await session.flush()
    row = await _show_in(session, code, on)
    detail = f"1 USD = {Decimal(micros) / MILLION:f} {code} as of {on:%Y-%m-%d}"
    audit.record(session, act, "currency.changed", subject=code, detail=detail)
    after_commit(session, lambda: hub.publish(STREAM, CHANGED))
    return row


async def current(session: AsyncSession) -> Currency:
    """What money is shown in, as the database has it."""
    return currency_of(await stored_or_new(session))


async def at_the_end_of(session: AsyncSession, shown: Currency, day: date) -> Currency:
    """The same currency at the rate that held on `day`; at its first known one where none is so old."""
    known = list(await session.scalars(_newest_first(shown.code)))
    if not known:
        return shown
    held = next((rate for rate in known if rate.since <= day), known[-1])
    return replace(shown, rate_micros=held.rate_micros, on=held.since)


async def history(session: AsyncSession, shown: Currency) -> Sequence[ExchangeRate]:
    """Every rate that this currency had, the newest first."""
    return list(await session.scalars(_newest_first(shown.code)))


async def _show_in(session: AsyncSession, code: str, on: date) -> Workspace:
    row = await stored_or_new(session)
    newest = await session.scalar(_newest_first(code).limit(1))
    row.currency = code
    row.exchange_rate_micros = newest.rate_micros if newest else MILLION
    row.exchange_rate_on = newest.since if newest else on
    session.add(row)
    return row


def _newest_first(code: str) -> Select[ExchangeRate]:
    """Of two rates of one day the later one corrects the other."""
    rates = select(ExchangeRate).where(ExchangeRate.currency == code)
    return rates.order_by(ExchangeRate.since.desc(), ExchangeRate.id.desc())


def _rate(typed: str) -> int:
    try:
        rate = Decimal(typed.strip())
    except InvalidOperation:
        raise Invalid("Write how much one US dollar is, such as 0.92.", field="rate") from None
    # Compared before it is counted with: -1e999999 is a number, too.
    micros = int(rate * MILLION) if rate.is_finite() and 0 < rate < MILLION else 0
    if micros <= 0:
        raise Invalid("The rate is more than zero and less than a million.", field="rate")
    return micros
