"""Every model with its price, as administrators see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.access import UsableModel
from app.catalog.models import Connection, Model
from app.catalog.price_tags import PriceTag
from app.core.clock import now
from app.core.database import Database
from app.usage import price_list, prices
from app.usage.models import PriceOverride
from app.usage.price_list import Offer
from app.usage.pricing import Price


@dataclass(frozen=True)
class Tag:
    """A model and its price at a moment. Without one its cost is unknown, and budgets cannot count it."""

    model: Model
    connection: Connection
    price: Price | None
    listed: Price | None
    """What the list says, whether or not an administrator says otherwise."""
    override: PriceOverride | None

    @property
    def is_missing(self) -> bool:
        """Whether people may use it and nobody knows what it costs."""
        return self.price is None and self.model.is_enabled

    @property
    def full_name(self) -> str:
        return f"{self.connection.name}/{self.model.name}"


async def sheet(session: AsyncSession, moment: datetime) -> list[Tag]:
    """All models that can chat, by connection and name."""
    rows = await session.execute(
        select(Model, Connection)
        .join(Connection, Model.connection_id == Connection.id)
        .where(Model.embeddings.is_not(True))
        .order_by(Connection.label, Connection.id, Model.display_name, Model.name)
    )
    return await _tags(session, [(model, connection) for model, connection in rows], moment)


async def tag_of(session: AsyncSession, model: Model, moment: datetime) -> Tag:
    """The price of one model."""
    connection = await session.get_one(Connection, model.connection_id)
    return (await _tags(session, [(model, connection)], moment))[0]


async def prices_now(session: AsyncSession, models: Sequence[UsableModel]) -> list[Price | None]:
    """What these models cost now, in their order."""
    moment = now()
    offers = [
        Offer(
            model.connection,
            (model.priced_as or model.full_name).partition("/")[2],
            model.kind,
            model.base_url,
        )
        for model in models
    ]
    book = await prices.book(session, offers)
    return [book.at(offer, moment) for offer in offers]


async def tags_of(session: AsyncSession, models: Sequence[UsableModel]) -> list[PriceTag | None]:
    """The same as rooms below know prices (`catalog.price_tags.PricesOf`)."""
    return [
        None if price is None else PriceTag(price.rates.input, price.rates.output, price.rates.cached_input)
        for price in await prices_now(session, models)
    ]


async def count_missing(session: AsyncSession, moment: datetime) -> int:
    """How many of the models that people may use have no price."""
    rows = await session.execute(
        select(Model, Connection)
        .join(Connection, Model.connection_id == Connection.id)
        .where(Connection.is_active, Model.is_enabled, Model.embeddings.is_not(True))
    )
    offered = [(model, connection) for model, connection in rows]
    return sum(tag.is_missing for tag in await _tags(session, offered, moment))


async def warm(database: Database) -> None:
    """Read the price list if some connection needs it, so that no page waits for that."""
    async with database.reading() as session:
        connections = (await session.scalars(select(Connection))).all()
    if any(Offer(row.name, "", row.kind, row.base_url).may_be_listed for row in connections):
        await price_list.load()


async def _tags(
    session: AsyncSession, offered: Sequence[tuple[Model, Connection]], moment: datetime
) -> list[Tag]:
    offers = [offer_of(model, connection) for model, connection in offered]
    book = await prices.book(session, offers)
    return [
        Tag(
            model,
            connection,
            price=book.at(offer, moment),
            listed=price_list.listed_price(offer, moment),
            override=book.override_at(offer, moment),
        )
        for (model, connection), offer in zip(offered, offers, strict=True)
    ]


def offer_of(model: Model, connection: Connection) -> Offer:
    return Offer(connection.name, model.name, connection.kind, connection.base_url)
