"""Encrypting every stored key anew, with the newest encryption key."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Connection, ConnectionKey
from app.core.crypto import Undecipherable, Vault

Keeper = Connection | ConnectionKey


async def reencrypt(session: AsyncSession, vault: Vault) -> int:
    """Bring every key under the newest encryption key; how many there are. Raises Undecipherable.

    One transaction for all, so that an interruption leaves the old state whole.
    """
    keepers = await _keepers(session, lock=True)
    for keeper in keepers:
        keeper.encrypted_key = await _anew(session, vault, keeper)
    return len(keepers)


async def all_readable(session: AsyncSession, vault: Vault) -> bool:
    """Whether `vault` can read every stored key: only then may other encryption keys be thrown away."""
    return all(_is_readable(vault, keeper) for keeper in await _keepers(session))


async def _keepers(session: AsyncSession, *, lock: bool = False) -> Sequence[Keeper]:
    """Everything that has a key."""
    connections = select(Connection).where(Connection.encrypted_key.is_not(None)).order_by(Connection.id)
    more = select(ConnectionKey).order_by(ConnectionKey.id)
    return [
        *await session.scalars(connections.with_for_update() if lock else connections),
        *await session.scalars(more.with_for_update() if lock else more),
    ]


def _is_readable(vault: Vault, keeper: Keeper) -> bool:
    try:
        vault.decrypt(keeper.encrypted_key or "")
    except Undecipherable:
        return False
    return True


async def _anew(session: AsyncSession, vault: Vault, keeper: Keeper) -> str:
    try:
        return vault.rotate(keeper.encrypted_key or "")
    except Undecipherable as error:
        raise Undecipherable(
            f"A key of {await _label(session, keeper)} can no longer be read. Replace or delete it first; "
            "nothing was changed."
        ) from error


async def _label(session: AsyncSession, keeper: Keeper) -> str:
    if isinstance(keeper, Connection):
        return keeper.label
    return (await session.get_one(Connection, keeper.connection_id)).label
