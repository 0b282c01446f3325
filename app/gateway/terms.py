"""Under what a person calls a model: found, priced and paid for. Kept in memory, see `core.changes`."""

from dataclasses import dataclass
from datetime import datetime

from app.accounts.groups import group_of
from app.catalog.access import FoundModel, find_model
from app.core.changes import Kept
from app.core.database import Database
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


class TermsOfAll:
    """One for each process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = Kept(database.changes, self._read)

    async def of(self, user_id: str, model: str) -> Terms:
        """`model` is `connection/model`. Raises catalog.access.ModelNotUsable."""
        return await self._kept.get((user_id, model))

    async def _read(self, asked: tuple[str, str]) -> Terms:
        user_id, name = asked
        async with self._database.reading() as session:
            model = await find_model(session, name, user_id)
            group = await group_of(session, user_id)
            offer = Offer(model.connection, model.name, model.target.kind, model.target.base_url)
            book = await prices.book(session, [offer])
        return Terms(model, group.id if group else None, offer, book)
