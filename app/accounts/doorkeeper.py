"""Lets people and programs in: one function for cookie, `Authorization: Bearer` and `x-api-key`.

A key that was seen before is known from memory, until an account, a key or a group is changed anywhere: what
is revoked stops working with the next request. What is under way with it then is shown out within a second, and
what is under way with a key that expires, at that moment.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import select

from app.accounts import api_keys, callers, identity, sessions, tokens
from app.accounts.callers import Caller, stream_of_key
from app.accounts.identity import Credentials, Identity
from app.accounts.models import ApiKey, User
from app.core.changes import Kept
from app.core.clock import now
from app.core.database import Database
from app.core.errors import NotSignedIn
from app.live.hub import Event, Hub

SECONDS_BETWEEN_NOTES = 60.0
SECONDS_BETWEEN_LOOKS = 0.25
WRITTEN_BEFORE_COMMITTED = timedelta(minutes=1)
"""A row says when its key was revoked; others see it only after the commit, and by another machine's clock."""
SHOWN_OUT = "shown_out"
"""The hub's stream that hears that somebody was shown out."""
SOMEBODY_LEFT: Event = {"type": SHOWN_OUT}
REVOKED = "This API key was revoked while it was used, or its account was disabled."
EXPIRED = f"This API key expired while it was used. {callers.MAKE_ANOTHER}"

Leave = Callable[[NotSignedIn], object]
"""Told why."""


class Doorkeeper:
    """One for each process."""

    def __init__(self, database: Database, hub: Hub, signing_key: str) -> None:
        self._database = database
        self._hub = hub
        self._signing_key = signing_key
        self._known: Kept[str, Identity] = Kept(database.changes, self._find_key)
        self._used: dict[str, datetime] = {}
        self._inside: defaultdict[str, set[Leave]] = defaultdict(set)
        self._looked_at = now()
        self._generation = database.changes.generation()

    async def authenticate(self, credentials: Credentials, at: datetime) -> Identity | None:
        """Whose these credentials are; None when there are none, or when a session is over.

        Raises callers.KeyUnknown, KeyRevoked, KeyExpired, AccountDisabled or AddressNotAllowed.
        """
        if credentials.key is not None:
            return await self._with_key(credentials.key, credentials.address, at)
        if credentials.session_token is not None:
            return await self._with_session(credentials.session_token, at)
        return None

    @contextmanager
    def inside(self, caller: Caller, leave: Leave) -> Iterator[None]:
        """While the block runs, `leave` is called as soon as the key is revoked or expires, or the account is disabled."""
        timer = _at_its_end(caller, leave)
        for stream in caller.streams:
            self._inside[stream].add(leave)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            for stream in caller.streams:
                self._inside[stream].discard(leave)
                if not self._inside[stream]:
                    del self._inside[stream]

    async def show_out(self) -> None:
        """See to it that whoever lost their key or account since the last round leaves: one round.

        Wherever that was done: the generation tells of other processes and of the command line, too.
        """
        generation = self._database.changes.generation()
        if generation == self._generation:
            return
        looked_at = now()
        for stream in await self._ended_since(self._looked_at - WRITTEN_BEFORE_COMMITTED):
            self._hub.publish(stream, sessions.SIGNED_OUT)
            self._hub.publish(SHOWN_OUT, SOMEBODY_LEFT)
            for leave in tuple(self._inside.get(stream, ())):
                leave(callers.KeyRevoked(REVOKED))
        self._generation, self._looked_at = generation, looked_at

    async def note_uses(self) -> None:
        """Write down when keys were last used, since this was last done."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with self._database.writing(brief=True) as session:
                await api_keys.note_uses(session, used)
        except BaseException:
            self._used = used | self._used
            raise

    async def _with_key(self, secret: str, address: str, at: datetime) -> Identity:
        try:
            found = await self._known.get(api_keys.hash_of(secret, self._signing_key))
        except callers.KeyUnknown:
            found = await self._known.get(api_keys.older_hash_of(secret, self._signing_key))
        _refuse_ended(found, at)
        if not found.rules.admits(address):
            raise callers.AddressNotAllowed(
                f"This key may not be used from {address or 'an unknown address'}. Its owner can make one that may."
            )
        if found.api_key_id is not None:
            self._used[found.api_key_id] = at
        return found

    async def _find_key(self, key_hash: str) -> Identity:
        async with self._database.reading(brief=True) as session:
            found = await identity.by_key_hash(session, key_hash)
        if found is None:
            # Not kept: strangers who try keys must not fill our memory.
            raise callers.KeyUnknown("This API key is not known here. Check that it was copied whole.")
        return found

    async def _with_session(self, token: str, at: datetime) -> Identity | None:
        try:
            session_id = tokens.session_id_of(self._signing_key, token)
        except tokens.InvalidToken:
            return None
        async with self._database.reading(brief=True) as session:
            found = await identity.by_session_id(session, session_id)
        return found if found is not None and found.is_valid(at) else None

    async def _ended_since(self, moment: datetime) -> list[str]:
        async with self._database.reading() as session:
            keys = await session.scalars(select(ApiKey.id).where(ApiKey.revoked_at >= moment))
            users = await session.scalars(select(User.id).where(User.disabled_at >= moment))
            return [*map(stream_of_key, keys), *map(sessions.stream_of_user, users)]


def _at_its_end(caller: Caller, leave: Leave) -> asyncio.TimerHandle | None:
    if caller.ends_at is None:
        return None
    seconds = (caller.ends_at - now()).total_seconds()
    return asyncio.get_running_loop().call_later(seconds, leave, callers.KeyExpired(EXPIRED))


def _refuse_ended(found: Identity, at: datetime) -> None:
    """Told to whoever holds the whole key: nobody else learns that it existed."""
    key = found.api_key
    if key is None or key.revoked_at is not None:
        raise callers.KeyRevoked(f"This API key is revoked. {callers.MAKE_ANOTHER}")
    if api_keys.has_expired(key, at):
        raise callers.KeyExpired(f"This API key expired on {key.expires_at:%Y-%m-%d}. {callers.MAKE_ANOTHER}")
    if found.user.is_disabled:
        raise callers.AccountDisabled(
            "The account of this API key is disabled. An administrator can enable it."
        )
