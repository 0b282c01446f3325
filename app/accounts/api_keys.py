"""Personal keys for scripts: made once, shown once, kept as a keyed hash."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.accounts.models import ApiKey, User
from app.core.clock import now
from app.core.crypto import keyed_hash
from app.core.database import Database
from app.core.errors import Invalid, NotFound

START = "parley_"
SHOWN_CHARACTERS = len(START) + 6
LONGEST_NAME = 80
LONGEST_LIFE_DAYS = 3650
NOTE_USE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class NewKey:
    """A key that was just made. `secret` is the key itself: this is the only time it is known."""

    row: ApiKey
    secret: str


async def create(
    session: AsyncSession, owner: User, signing_key: str, act: Act, *, name: str, days: int | None = None
) -> NewKey:
    """A new key of this person, good for `days` or until it is revoked. Raises Invalid."""
    secret = START + secrets.token_urlsafe(32)
    row = ApiKey(
        user_id=owner.id,
        name=_checked_name(name),
        prefix=secret[:SHOWN_CHARACTERS],
        key_hash=hash_of(secret, signing_key),
        expires_at=_end_after(days),
    )
    session.add(row)
    await session.flush()
    _record(session, act, "key.created", owner, row)
    return NewKey(row, secret)


async def keys_of(session: AsyncSession, user_id: str) -> Sequence[ApiKey]:
    """The person's keys that are not revoked, the latest first."""
    found = await session.scalars(
        select(ApiKey)
        .where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.id.desc())
    )
    return found.all()


async def revoke(session: AsyncSession, owner: User, key_id: str, act: Act) -> ApiKey:
    """End one key of this person at once. Raises NotFound, also for somebody else's key."""
    revoked: ApiKey | None = await session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.user_id == owner.id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now())
        .returning(ApiKey)
    )
    if revoked is None:
        raise NotFound("There is no such key.")
    _record(session, act, "key.revoked", owner, revoked)
    return revoked


async def note_use(database: Database, key_id: str) -> None:
    """Remember that the key was used just now, to ten minutes."""
    at = now()
    async with database.writing() as session:
        await session.execute(
            update(ApiKey)
            .where(
                ApiKey.id == key_id,
                or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= at - NOTE_USE_AFTER),
            )
            .values(last_used_at=at)
        )


def is_live(key: ApiKey, at: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > at)


def is_use_worth_noting(key: ApiKey, at: datetime) -> bool:
    return key.last_used_at is None or at - key.last_used_at >= NOTE_USE_AFTER


def hash_of(secret: str, signing_key: str) -> str:
    return keyed_hash(signing_key, secret)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("Give the key a name, such as the script that will use it.", field="name")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"A key's name may have at most {LONGEST_NAME} characters.", field="name")
    return name


def _record(session: AsyncSession, act: Act, action: str, owner: User, key: ApiKey) -> None:
    detail = f"{key.name} ({key.prefix}…)"
    audit.record(session, act.actor, action, subject=owner.username, detail=detail, address=act.address)


def _end_after(days: int | None) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= LONGEST_LIFE_DAYS:
        raise Invalid(f"A key may live from 1 to {LONGEST_LIFE_DAYS} days.", field="days")
    return now() + timedelta(days=days)
