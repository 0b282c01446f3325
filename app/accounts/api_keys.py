"""Keys for programs: made once, shown once, kept as a keyed hash; each with rules of its own."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, key_rules, people
from app.accounts.audit import Act
from app.accounts.key_rules import Rules, Scope
from app.accounts.models import ApiKey, User
from app.core.changes import UNWATCHED
from app.core.clock import now
from app.core.crypto import derived_key, keyed_hash
from app.core.errors import Forbidden, Invalid, NotFound

START = "parley_"
SHOWN_CHARACTERS = len(START) + 6
LONGEST_NAME = 80


@dataclass(frozen=True)
class NewKey:
    """A key that was just made. `secret` is the key itself: this is the only time it is known."""

    row: ApiKey
    secret: str


async def create(
    session: AsyncSession,
    owner: User,
    signing_key: str,
    act: Act,
    *,
    name: str,
    rules: Rules = Rules(),
) -> NewKey:
    """A new key of this account. Raises Invalid."""
    _refuse_administration(owner, rules)
    _refuse_storing_for_nobody(owner, stores_calls=rules.stores_calls)
    secret = START + secrets.token_urlsafe(32)
    row = ApiKey(
        user_id=owner.id,
        name=_checked_name(name),
        prefix=secret[:SHOWN_CHARACTERS],
        key_hash=hash_of(secret, signing_key),
        scopes=" ".join(sorted(rules.scopes)),
        models="\n".join(sorted(rules.models)),
        address_ranges="\n".join(map(str, rules.ranges)),
        expires_at=rules.expires_at,
        stores_calls=rules.stores_calls,
    )
    session.add(row)
    await session.flush()
    _record(session, act, "key.created", owner, row, in_words(rules))
    return NewKey(row, secret)


async def keys_of(session: AsyncSession, user_id: str) -> Sequence[ApiKey]:
    """The account's keys that are not revoked, the latest first."""
    found = await session.scalars(
        select(ApiKey)
        .where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.id.desc())
    )
    return found.all()


async def counts_of(session: AsyncSession, user_ids: Collection[str]) -> dict[str, int]:
    """How many keys that are not revoked each of these accounts has; who has none is left out."""
    rows = await session.execute(
        select(ApiKey.user_id, func.count())
        .where(ApiKey.user_id.in_(user_ids), ApiKey.revoked_at.is_(None))
        .group_by(ApiKey.user_id)
    )
    return dict(rows.all())


async def key_of(session: AsyncSession, owner: User, key_id: str) -> ApiKey:
    """One key of this account that is not revoked. Raises NotFound, also for somebody else's key."""
    key: ApiKey | None = await session.scalar(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == owner.id, ApiKey.revoked_at.is_(None))
    )
    if key is None:
        raise NotFound("There is no such key.")
    return key


async def models_of(session: AsyncSession, key_id: str | None) -> frozenset[str]:
    """What a key is kept to, full names or aliases; empty: every model, as in the browser, where there is no key."""
    key = await session.get(ApiKey, key_id) if key_id else None
    return rules_of(key).models if key is not None else frozenset()


async def change(
    session: AsyncSession,
    owner: User,
    key: ApiKey,
    act: Act,
    *,
    name: str | None = None,
    stores_calls: bool | None = None,
) -> None:
    """What about a key may be another from the next call on; None leaves it as it is. Raises Invalid."""
    new_name = key.name if name is None else _checked_name(name)
    stores = key.stores_calls if stores_calls is None else stores_calls
    _refuse_storing_for_nobody(owner, stores_calls=stores)
    changes = []
    if new_name != key.name:
        changes.append(f"named {new_name}")
    if stores != key.stores_calls:
        changes.append("stores calls" if stores else "stores no calls")
    if changes:
        _record(session, act, "key.changed", owner, key, "; ".join(changes))
    key.name, key.stores_calls = new_name, stores


async def revoke(session: AsyncSession, owner: User, key_id: str, act: Act) -> ApiKey:
    """End one key of this account at once, and what is under way with it. Raises NotFound."""
    key = await key_of(session, owner, key_id)
    key.revoked_at = now()
    _record(session, act, "key.revoked", owner, key)
    return key


async def note_uses(session: AsyncSession, used: Mapping[str, datetime]) -> None:
    """Remember when keys were last used, by their ids. Nobody's memory of keys is upset by it."""
    for key_id, at in used.items():
        await session.execute(
            update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=at), execution_options=UNWATCHED
        )


def rules_of(key: ApiKey) -> Rules:
    return Rules(
        frozenset(Scope(name) for name in key.scopes.split()),
        frozenset(key.models.splitlines()),
        key_rules.ranges_from(key.address_ranges.splitlines()),
        key.expires_at,
        key.stores_calls,
    )


def in_words(rules: Rules) -> str:
    """`chat, usage; 2 models; until 2027-01-31`: for the audit log and lists."""
    parts = [", ".join(scope for scope in Scope if scope in rules.scopes)]
    if rules.models:
        parts.append("1 model" if len(rules.models) == 1 else f"{len(rules.models)} models")
    if rules.ranges:
        parts.append(f"from {', '.join(map(str, rules.ranges))}")
    if rules.expires_at:
        parts.append(f"until {rules.expires_at:%Y-%m-%d}")
    if rules.stores_calls:
        parts.append("stores calls")
    return "; ".join(parts)


def is_live(key: ApiKey, at: datetime) -> bool:
    return key.revoked_at is None and not has_expired(key, at)


def has_expired(key: ApiKey, at: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= at


def hash_of(secret: str, signing_key: str) -> str:
    """As what a key is stored.

    Whoever looks one up compares no secret: without the installation's secret nobody can choose a hash.
    """
    return keyed_hash(_hashing_key(signing_key), secret)


def older_hash_of(secret: str, signing_key: str) -> str:
    """As what it was stored before hashes had a key of their own."""
    return keyed_hash(signing_key, secret)


def refuse_more_than(maker: ApiKey, wanted: Rules) -> None:
    """A key that makes keys makes none that outlive or outdo it. Raises Forbidden."""
    own = rules_of(maker)
    if own.models or own.ranges:
        raise Forbidden("A key that is kept to models or addresses cannot make keys.")
    if not wanted.scopes <= own.scopes:
        raise Forbidden("A key can pass on only the scopes that it has itself.")
    if own.expires_at and (wanted.expires_at is None or wanted.expires_at > own.expires_at):
        raise Forbidden(f"Keys made with this one end with it, on {own.expires_at:%Y-%m-%d} at the latest.")


@lru_cache(maxsize=8)
def _hashing_key(signing_key: str) -> str:
    return derived_key(signing_key, "api keys")


def _refuse_administration(owner: User, rules: Rules) -> None:
    if Scope.ADMIN in rules.scopes and not owner.is_administrator:
        raise Invalid("Only keys of administrators can have the scope “admin”.", field="scopes")


def _refuse_storing_for_nobody(owner: User, *, stores_calls: bool) -> None:
    if stores_calls and owner.is_service:
        raise Invalid(
            "Calls of a service account are not stored as conversations: nobody could read them.",
            field="stores_calls",
        )


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("Give the key a name, such as the script that will use it.", field="name")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"A key's name may have at most {LONGEST_NAME} characters.", field="name")
    # Administrators read it in lists and in terminals, which would do what control characters say.
    if not people.is_plain(name):
        raise Invalid("A key's name is one line of characters that can be seen.", field="name")
    return name


def _record(session: AsyncSession, act: Act, action: str, owner: User, key: ApiKey, detail: str = "") -> None:
    detail = f"{key.name} ({key.prefix}…)" + (f": {detail}" if detail else "")
    audit.record(session, act, action, subject=owner.username, detail=detail)
