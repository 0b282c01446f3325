"""Models as programs list them: what a person may call, embedding models included."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.access import trouble
from app.catalog.models import Connection, Model
from app.catalog.restrictions import is_open_to
from app.providers.registry import KINDS


@dataclass(frozen=True)
class ListedModel:
    """A model that may be called. `name` is the provider's own; sizes are tokens, None where nobody tells."""

    connection: str
    name: str
    display_name: str
    found_at: datetime
    context_window: int | None
    max_output_tokens: int | None
    abilities: tuple[str, ...]
    """Of `vision`, `tools`, `reasoning` and `embeddings`, those it is known to have."""
    is_well: bool = True
    """False while its connection is known to fail. It may be called all the same: it may be well again."""

    @property
    def full_name(self) -> str:
        return f"{self.connection}/{self.name}"


async def listed_models(session: AsyncSession, user_id: str) -> list[ListedModel]:
    """The ticked models that this person may call and that their connections still offer, by name."""
    found = await session.execute(
        select(Model, Connection)
        .join(Connection, Model.connection_id == Connection.id)
        .where(Connection.is_active, Connection.kind.in_(KINDS))
        .where(Model.is_enabled, Model.missing_since.is_(None), is_open_to(user_id))
        .order_by(Connection.name, Model.name)
    )
    return [_listed(model, connection) for model, connection in found]


def _listed(model: Model, connection: Connection) -> ListedModel:
    return ListedModel(
        connection=connection.name,
        name=model.name,
        display_name=model.display_name,
        found_at=model.found_at,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        abilities=model.abilities,
        is_well=trouble(connection) is None,
    )
