"""Who is asking: the person, and how they proved it. `doorkeeper` finds it out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import api_keys, sessions
from app.accounts.callers import Caller, caller_in_browser, caller_with_key
from app.accounts.key_rules import Rules
from app.accounts.models import ApiKey, SignInSession, User
from app.core.clock import now
from app.core.database import Database
from app.values import value


@value
class Credentials:
    """What a request brought to prove who asks, and from where it came. A key goes before a cookie."""

    key: str | None = None
    session_token: str | None = None
    address: str = ""


@dataclass(frozen=True)
class Identity:
    """A person, and how they proved it: by a browser's session or by a key. `caller` is what they may do with it."""

    user: User
    caller: Caller
    sign_in: SignInSession | None = None
    api_key: ApiKey | None = None
    rules: Rules = Rules()  # noqa: RUF009  (a frozen value)
    """Of the key."""

    @property
    def session_id(self) -> str | None:
        return self.sign_in.id if self.sign_in else None

    @property
    def api_key_id(self) -> str | None:
        return self.caller.api_key_id

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams of the hub that say `signed_out` when this identity has ended."""
        of_session = (sessions.stream_of_session(self.sign_in.id),) if self.sign_in else ()
        return (*self.caller.streams, *of_session)

    @property
    def ends_at(self) -> datetime | None:
        """When session or key end by themselves, as far as was known when they were shown: sessions are renewed."""
        return self.sign_in.expires_at if self.sign_in else self.caller.ends_at

    def is_valid(self, at: datetime) -> bool:
        """Whether account and session or key are good at this moment."""
        if self.user.is_disabled:
            return False
        if self.sign_in is not None:
            return sessions.is_live(self.sign_in, at)
        return self.api_key is not None and api_keys.is_live(self.api_key, at)


async def still_valid(database: Database, identity: Identity) -> bool:
    """Whether this identity would still be let in; long-lived streams ask every few seconds."""
    async with database.reading() as session:
        if identity.sign_in is not None:
            found = await by_session_id(session, identity.sign_in.id)
        elif identity.api_key is not None:
            found = await by_key_hash(session, identity.api_key.key_hash)
    return found is not None and found.is_valid(now())


async def by_session_id(session: AsyncSession, session_id: str) -> Identity | None:
    """The person who has this session, whether or not it is over."""
    query = select(SignInSession, User).join_from(SignInSession, User).where(SignInSession.id == session_id)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    sign_in, user = found
    return Identity(user, caller_in_browser(user), sign_in=sign_in)


async def by_key_hash(session: AsyncSession, key_hash: str) -> Identity | None:
    """The account that has the key with this hash, whether or not the key is good."""
    query = select(ApiKey, User).join_from(ApiKey, User).where(ApiKey.key_hash == key_hash)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    key, user = found
    return Identity(user, caller_with_key(user, key), api_key=key, rules=api_keys.rules_of(key))
