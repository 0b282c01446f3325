"""What a model costs at a moment: the administrator's price, else the list's, else nothing is known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.core.clock import now
from app.core.errors import Invalid, NotFound
from app.usage import price_list
from app.usage.models import PriceOverride
from app.usage.price_list import Offer, listed_price
from app.usage.pricing import MILLION, Price, PriceSource, Rates

HIGHEST = 100_000
"""US dollars per million tokens; more is a slip of the pen."""
FURTHEST = timedelta(days=36_525)
MOST_REMEMBERED = 4_096

Name = tuple[str, str]
"""Connection and model."""

# Every call of a model asks for its price: the statement is built once.
NEWEST_FIRST = select(PriceOverride).order_by(PriceOverride.effective_from.desc(), PriceOverride.id.desc())
OF_ONE_MODEL = NEWEST_FIRST.where(
    PriceOverride.connection == bindparam("connection"), PriceOverride.model == bindparam("model")
)


@dataclass(frozen=True)
class PriceBook:
    """The prices of some models at any moment: read once, asked often."""

    overrides: Mapping[Name, Sequence[PriceOverride]]
    """The newest first."""

    def at(self, offer: Offer, moment: datetime) -> Price | None:
        """None: the model has no price."""
        override = self.override_at(offer, moment)
        return listed_price(offer, moment) if override is None else _price(override)

    def override_at(self, offer: Offer, moment: datetime) -> PriceOverride | None:
        """The administrator's price that holds at a moment, or None."""
        rows = self.overrides.get((offer.connection, offer.model), ())
        current = next((row for row in rows if row.effective_from <= moment), None)
        return None if current is None or current.ends_it else current


async def price_at(session: AsyncSession, offer: Offer, moment: datetime) -> Price | None:
    """The price of one model at a moment. None: it has no price."""
    return (await book(session, [offer])).at(offer, moment)


async def book(session: AsyncSession, offers: Collection[Offer]) -> PriceBook:
    """The prices of these models."""
    if not (price_list.is_loaded() or all(offer.is_free for offer in offers)):
        await price_list.load()
    names = {(offer.connection, offer.model) for offer in offers}
    return PriceBook(await _overrides(session, names.pop() if len(names) == 1 else None))


async def history(session: AsyncSession, connection: str, model: str) -> Sequence[PriceOverride]:
    """Every price that administrators gave a model, the newest first."""
    name = (connection, model)
    return (await _overrides(session, name)).get(name, ())


async def set_price(
    session: AsyncSession, connection: str, model: str, rates: Rates, effective_from: datetime, act: Act
) -> PriceOverride:
    """Charge `rates` for a model from a moment on. What is in the ledger already keeps its price."""
    override = _row(connection, model, effective_from, act)
    override.input, override.output = rates.input, rates.output
    override.cached_input, override.cache_write = rates.cached_input, rates.cache_write
    session.add(override)
    await session.flush()
    detail = f"{rates.text} USD per million tokens from {effective_from:%Y-%m-%d %H:%M} UTC"
    _record(session, act, "price.set", connection, model, detail)
    return override


async def remove_price(session: AsyncSession, connection: str, model: str, act: Act) -> None:
    """Back to the list's price from now on; prices that were to come are forgotten. Raises NotFound."""
    moment = now()
    rows = await history(session, connection, model)
    coming = [row.id for row in rows if row.effective_from > moment]
    current = next((row for row in rows if row.effective_from <= moment), None)
    if not coming and (current is None or current.ends_it):
        raise NotFound(f"{connection}/{model} has no price of its own. `parley prices list` shows all.")
    await session.execute(delete(PriceOverride).where(PriceOverride.id.in_(coming)))
    if current is not None and not current.ends_it:
        session.add(_row(connection, model, moment, act))
    await session.flush()
    _record(session, act, "price.removed", connection, model)


def rates_from(input: str, output: str, cached_input: str = "", cache_write: str = "") -> Rates:  # noqa: A002
    """Rates as somebody typed them, in US dollars per million tokens. Raises Invalid with the field."""
    return Rates(
        input=_micros(input, "input"),
        output=_micros(output, "output"),
        cached_input=_micros(cached_input, "cached_input") if cached_input.strip() else None,
        cache_write=_micros(cache_write, "cache_write") if cache_write.strip() else None,
    )


def beginning_of(day: date | None, zone: tzinfo, moment: datetime) -> datetime:
    """When a price of that day begins to hold, given the moment it is: at once for today and for None.

    Raises Invalid for a day that is over, since what was used then keeps the price that it had.
    """
    today = moment.astimezone(zone).date()
    if day is None or day == today:
        return moment
    if not today < day <= today + FURTHEST:
        raise Invalid("A price begins today, or within the next hundred years.", field="since")
    return datetime.combine(day, time.min, zone)


def _micros(typed: str, field: str) -> int:
    try:
        dollars = Decimal(typed.strip().removeprefix("$"))
    except InvalidOperation:
        raise Invalid("Write US dollars for a million tokens, such as 0.15.", field=field) from None
    if not dollars.is_finite() or not 0 <= dollars <= HIGHEST:
        raise Invalid(f"A price is between 0 and {HIGHEST:,} US dollars for a million tokens.", field=field)
    micros = dollars * MILLION
    if micros != int(micros):
        raise Invalid("At most six digits can stand after the point.", field=field)
    return int(micros)


def _price(override: PriceOverride) -> Price:
    return _price_of(override.input or 0, override.output or 0, override.cached_input, override.cache_write)


# Asked for by every call, and always the same: what a price knows of itself is found out once.
@lru_cache(MOST_REMEMBERED)
def _price_of(input: int, output: int, cached_input: int | None, cache_write: int | None) -> Price:  # noqa: A002
    return Price(Rates(input, output, cached_input, cache_write), PriceSource.OVERRIDE)


async def _overrides(session: AsyncSession, only: Name | None = None) -> dict[Name, list[PriceOverride]]:
    """There are few: whoever asks about several models reads them all."""
    if only is None:
        rows = await session.scalars(NEWEST_FIRST)
    else:
        rows = await session.scalars(OF_ONE_MODEL, {"connection": only[0], "model": only[1]})
    found: dict[Name, list[PriceOverride]] = {}
    for row in rows:
        found.setdefault((row.connection, row.model), []).append(row)
    return found


def _row(connection: str, model: str, effective_from: datetime, act: Act) -> PriceOverride:
    by = act.by
    return PriceOverride(connection=connection, model=model, effective_from=effective_from, created_by=by)


def _record(
    session: AsyncSession, act: Act, action: str, connection: str, model: str, detail: str = ""
) -> None:
    audit.record(session, act, action, subject=f"{connection}/{model}", detail=detail)
