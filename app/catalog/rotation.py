"""Encrypting every stored key anew, with the newest encryption key."""

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Connection
from app.core.crypto import Undecipherable, Vault


async def reencrypt(session: AsyncSession, vault: Vault) -> int:
    """Bring every key under the newest encryption key; how many there are. Raises Undecipherable.

    One transaction for all, so that an interruption leaves the old state whole.
    """
    connections = await session.scalars(_with_keys().order_by(Connection.id).with_for_update())
    count = 0
    for connection in connections:
        connection.encrypted_key = _anew(vault, connection)
        count += 1
    return count


async def all_readable(session: AsyncSession, vault: Vault) -> bool:
    """Whether `vault` can read every stored key: only then may other encryption keys be thrown away."""
    return all(_is_readable(vault, connection) for connection in await session.scalars(_with_keys()))


def _with_keys() -> Select[Connection]:
    return select(Connection).where(Connection.encrypted_key.is_not(None))


def _is_readable(vault: Vault, connection: Connection) -> bool:
    try:
        vault.decrypt(connection.encrypted_key or "")
    except Undecipherable:
        return False
    return True


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
