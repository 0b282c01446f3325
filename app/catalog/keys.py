"""More keys for one connection: they share its load, and rest one by one when the provider limits them."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.catalog.models import Connection, ConnectionKey
from app.core.crypto import Undecipherable, Vault, masked
from app.core.errors import Invalid
from app.providers.registry import KINDS, Kind

MOST = 50
LONGEST = 1_000


async def keys_of(session: AsyncSession, connection_id: str) -> tuple[str, ...]:
    """Its further keys as they are stored: encrypted."""
    return _encrypted(await rows_of(session, connection_id))


async def rows_of(session: AsyncSession, connection_id: str) -> Sequence[ConnectionKey]:
    """Its further keys, the oldest first."""
    query = select(ConnectionKey).where(ConnectionKey.connection_id == connection_id)
    return (await session.scalars(query.order_by(ConnectionKey.id))).all()


async def add_keys(session: AsyncSession, vault: Vault, connection: Connection, typed: str, act: Act) -> int:
    """Add the keys in `typed`, one a line; how many were new. The next call uses them. Raises Invalid."""
    if connection.encrypted_key is None:
        raise Invalid("Save the first key before you add more.", field="keys")
    known = await rows_of(session, connection.id)
    stored = {_plain(vault, encrypted) for encrypted in (connection.encrypted_key, *_encrypted(known))}
    new = [key for key in _lines(KINDS[connection.kind], typed) if key not in stored]
    if len(known) + len(new) > MOST:
        raise Invalid(f"A connection can have at most {MOST} more keys.", field="keys")
    session.add_all(
        ConnectionKey(connection_id=connection.id, encrypted_key=vault.encrypt(key), key_hint=masked(key))
        for key in new
    )
    if new:
        audit.record(session, act, "connection.keys_added", subject=connection.name, detail=f"{len(new)}")
    return len(new)


async def remove_key(session: AsyncSession, connection: Connection, key_id: str, act: Act) -> None:
    """Use it no more. That it is gone already is as well."""
    of_connection = ConnectionKey.connection_id == connection.id
    removed = await session.execute(
        delete(ConnectionKey).where(ConnectionKey.id == key_id, of_connection).returning(ConnectionKey.id)
    )
    if removed.first() is not None:
        audit.record(session, act, "connection.key_removed", subject=connection.name)


async def forget_all(session: AsyncSession, connection: Connection) -> None:
    """With its first key, or when it moves to another server, the others go, too."""
    await session.execute(delete(ConnectionKey).where(ConnectionKey.connection_id == connection.id))


def clean_key(kind: Kind, key: str, field: str = "key") -> str:
    """The key without what pasting adds around it. Raises Invalid; the messages never repeat it."""
    key = key.strip()
    if not key and kind.needs_key:
        raise Invalid(f"{kind.label} wants a key. Paste one that you made there.", field=field)
    if key and not kind.accepts_key:
        raise Invalid(f"{kind.label} takes no key. Leave the field empty.", field=field)
    if len(key) > LONGEST or any(character.isascii() and not character.isprintable() for character in key):
        raise Invalid("This is not a key: it is too long, or holds more than one line.", field=field)
    if not key.isascii() or not key.isprintable():
        raise Invalid("This is not a key: it holds characters that no key has. Copy it again.", field=field)
    if " " in key:
        raise Invalid("This is not a key: there is a space in it. Copy it again.", field=field)
    return key


def _lines(kind: Kind, typed: str) -> list[str]:
    """Each key once, in the order in which they were typed. Raises Invalid."""
    keys = [clean_key(kind, line, "keys") for line in typed.splitlines() if line.strip()]
    if not keys:
        raise Invalid("Paste the keys first, one a line.", field="keys")
    return list(dict.fromkeys(keys))


def _encrypted(rows: Sequence[ConnectionKey]) -> tuple[str, ...]:
    return tuple(row.encrypted_key for row in rows)


def _plain(vault: Vault, encrypted: str) -> str:
    """Empty where it can no longer be read: then it is none of those that were typed."""
    try:
        return vault.decrypt(encrypted)
    except Undecipherable:
        return ""
