"""What a model is known to be unable to do, before it is asked in vain."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Connection, Model


async def is_blind(session: AsyncSession, full_name: str) -> bool:
    """Whether `connection/model` is known to see no images.

    Where its provider does not tell it is asked; so is an alias, behind which may be models that see.
    """
    connection, _, name = full_name.partition("/")
    vision = await session.scalar(
        select(Model.vision)
        .join(Connection, Model.connection_id == Connection.id)
        .where(Connection.name == connection, Model.name == name)
    )
    return vision is False
