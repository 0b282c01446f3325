"""Who is asking? One function answers for cookie, `Authorization: Bearer` and `x-api-key` alike.

It looks at the rows each time: a disabled account, an ended session or a revoked key stops working with the
next request.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import api_keys, sessions, tokens
from app.accounts.models import ApiKey, SignInSession, User
from app.core.clock import now
from app.core.database import Database


@dataclass(frozen=True)
class Credentials:
    """What a request brought to prove who asks. A key goes before a cookie."""

    key: str | None = None
    session_token: str | None = None


@dataclass(frozen=True)
class Identity:
    """A person, and how they proved it: by a browser's session or by a personal key."""

    user: User
    sign_in: SignInSession | None = None
    api_key: ApiKey | None = None

    @property
    def session_id(self) -> str | None:
        return self.sign_in.id if self.sign_in else None

    @property
    def api_key_id(self) -> str | None:
        return self.api_key.id if self.api_key else None

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams of the hub that say `signed_out` when this identity has ended."""
        of_session = (sessions.stream_of_session(self.sign_in.id),) if self.sign_in else ()
        return (sessions.stream_of_user(self.user.id), *of_session)

    def is_valid(self, at: datetime) -> bool:
        """Whether account and session or key are good at this moment."""
        if self.user.is_disabled:
            return False
        if self.sign_in is not None:
            return sessions.is_live(self.sign_in, at)
        return self.api_key is not None and api_keys.is_live(self.api_key, at)


async def authenticate(
    session: AsyncSession, credentials: Credentials, signing_key: str, at: datetime
) -> Identity | None:
    """The identity that these credentials prove at this moment, or None."""
    found = await _identify(session, credentials, signing_key)
    return found if found is not None and found.is_valid(at) else None


async def still_valid(database: Database, identity: Identity) -> bool:
    """Whether this identity would still be let in; long-lived streams ask every few seconds."""
    async with database.reading() as session:
        if identity.sign_in is not None:
            found = await _by_session_id(session, identity.sign_in.id)
        elif identity.api_key is not None:
            found = await _by_key_hash(session, identity.api_key.key_hash)
    return found is not None and found.is_valid(now())


async def _identify(session: AsyncSession, credentials: Credentials, signing_key: str) -> Identity | None:
    if credentials.key is not None:
        return await _by_key_hash(session, api_keys.hash_of(credentials.key, signing_key))
    if credentials.session_token is None:
        return None
    try:
        session_id = tokens.session_id_of(signing_key, credentials.session_token)
    except tokens.InvalidToken:
        return None
    return await _by_session_id(session, session_id)


async def _by_session_id(session: AsyncSession, session_id: str) -> Identity | None:
    rows = await session.execute(select(SignInSession, User).join(User).where(SignInSession.id == session_id))
    found = rows.one_or_none()
    return Identity(found[1], sign_in=found[0]) if found else None


async def _by_key_hash(session: AsyncSession, key_hash: str) -> Identity | None:
    rows = await session.execute(select(ApiKey, User).join(User).where(ApiKey.key_hash == key_hash))
    found = rows.one_or_none()
    return Identity(found[1], api_key=found[0]) if found else None
