"""What the same tokens would have cost on other models, and what a plan would cost in a month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.catalog.models import Connection, Model
from app.catalog.restrictions import is_open_to
from app.providers.events import Usage
from app.usage import prices
from app.usage.price_list import Offer
from app.usage.pricing import Rates, price_of
from app.usage.questions import What
from app.usage.rollups import Total

MOST_SHOWN = 12
WORKDAYS = 21
"""Of a month, for plans."""


@dataclass(frozen=True)
class Plan:
    """So many people, each asking so often on a workday, with so many tokens in and out each time."""

    people: int = 10
    messages: int = 20
    input_tokens: int = 3_000
    output_tokens: int = 500

    @property
    def total(self) -> Total:
        """A month of it."""
        requests = self.people * self.messages * WORKDAYS
        return Total(
            requests=requests,
            input_tokens=requests * self.input_tokens,
            output_tokens=requests * self.output_tokens,
        )


@dataclass(frozen=True)
class Comparison:
    """What some traffic would cost on one model, in micro-dollars."""

    what: What
    rates: Rates
    cost_micros: int


async def comparisons(
    session: AsyncSession, viewer: User, total: Total, used: Mapping[What, Total], at: datetime
) -> list[Comparison]:
    """The models that cost least and those that were used most, the dearest first.

    Models that the viewer may not use, and those without a price, are left out. Counted at the lowest tier:
    sums do not tell how large each call was.
    """
    offers = await _offers(session, viewer)
    book = await prices.book(session, offers)
    usage = as_usage(total)
    found = []
    for offer in offers:
        price = book.at(offer, at)
        if price is not None:
            cost = price_of(usage, replace(price, tiers=()))
            found.append(Comparison(What(offer.connection, offer.model), price.rates, cost))
    return sorted(_worth_showing(found, used), key=lambda one: (-one.cost_micros, one.what))


def as_usage(total: Total) -> Usage:
    """All tokens as if one call had used them: without tiers, costs add up."""
    return Usage(
        total.input_tokens,
        total.output_tokens,
        cache_read=total.cache_read_tokens,
        cache_write=total.cache_write_tokens,
        reasoning=total.reasoning_tokens,
    )


def _worth_showing(found: Iterable[Comparison], used: Mapping[What, Total]) -> list[Comparison]:
    nothing = Total()
    ordered = sorted(found, key=lambda one: (-used.get(one.what, nothing).tokens, one.cost_micros, one.what))
    return ordered[:MOST_SHOWN]


async def _offers(session: AsyncSession, viewer: User) -> list[Offer]:
    rows = await session.execute(
        select(Connection.name, Model.name, Connection.kind, Connection.base_url)
        .join(Connection, Model.connection_id == Connection.id)
        .where(Model.is_enabled, is_open_to(viewer.id))
    )
    return [Offer(*row) for row in rows]
