"""Encrypting every stored key anew, with the newest encryption key."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Connection
from app.core.crypto import Undecipherable, Vault


async def reencrypt(session: AsyncSession, vault: Vault) -> int:
    """Bring every key under the newest encryption key; how many there are. Raises Undecipherable.

    One transaction for all, so that an interruption leaves the old state whole.
    """
    connections = list(
        await session.scalars(
            select(Connection)
            .where(Connection.encrypted_key.is_not(None))
            .order_by(Connection.id)
            .with_for_update()
        )
    )
    for connection in connections:
        connection.encrypted_key = _anew(vault, connection)
    return len(connections)


def _anew(vault: Vault, connection: Connection) -> str | None:
    if connection.encrypted_key is None:
        return None
    try:
        return vault.rotate(connection.encrypted_key)
    except Undecipherable as error:
        raise Undecipherable(
            f"The key of {connection.label} can no longer be read. Replace or delete it first; "
            "nothing was changed."
        ) from error
