"""Under what a person calls models: priced, and paid for by somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.groups import group_of
from app.catalog.access import FoundModel
from app.usage import prices
from app.usage.price_list import Offer
from app.usage.prices import PriceBook
from app.usage.pricing import Price


@dataclass(frozen=True)
class Terms:
    """`group_id` is the group that pays, if one does."""

    model: FoundModel
    group_id: str | None
    offer: Offer
    prices: PriceBook

    def price_at(self, moment: datetime) -> Price | None:
        """None: the model has no price."""
        return self.prices.at(self.offer, moment)


async def terms_of(session: AsyncSession, user_id: str, models: Sequence[FoundModel]) -> list[Terms]:
    """The terms for this person of each of the models."""
    group = await group_of(session, user_id)
    offers = [
        Offer(model.connection, model.name, model.target.kind, model.target.base_url) for model in models
    ]
    book = await prices.book(session, offers)
    group_id = group.id if group else None
    return [Terms(model, group_id, offer, book) for model, offer in zip(models, offers, strict=True)]
