"""Signed-in browsers: started, kept alive while they are used, ended.

A session slides: each use moves its end `SESSION_DAYS` ahead. To keep page views free of writes the row is
renewed at most once a day, in the background, and the browser gets a new cookie with that answer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import SignInSession
from app.core.clock import now
from app.core.database import Database, after_commit
from app.core.settings import Settings
from app.live.hub import Event, Hub

RENEW_AFTER = timedelta(days=1)
LONGEST_USER_AGENT = 300
SIGNED_OUT: Event = {"type": "signed_out"}


def stream_of_session(session_id: str) -> str:
    """The hub's stream that tells when this session is over."""
    return f"session:{session_id}"


def stream_of_user(user_id: str) -> str:
    """The hub's stream that tells when every sign-in of this person is over."""
    return f"user:{user_id}"


def is_live(sign_in: SignInSession, at: datetime) -> bool:
    return sign_in.ended_at is None and sign_in.expires_at > at


def is_due_for_renewal(sign_in: SignInSession, at: datetime) -> bool:
    return at - sign_in.renewed_at >= RENEW_AFTER


def lifetime(settings: Settings) -> timedelta:
    """For how long an unused session stays good."""
    return timedelta(days=settings.session_days)


async def start(
    session: AsyncSession, user_id: str, *, expires_at: datetime, address: str, user_agent: str
) -> SignInSession:
    """A new session for this person."""
    sign_in = SignInSession(
        user_id=user_id,
        expires_at=expires_at,
        address=address,
        user_agent=user_agent[:LONGEST_USER_AGENT],
    )
    session.add(sign_in)
    await session.flush()
    return sign_in


async def renew(database: Database, session_id: str, at: datetime, expires_at: datetime) -> None:
    """Move the session's end ahead, unless that was just done or the session is over."""
    async with database.writing() as session:
        await session.execute(
            update(SignInSession)
            .where(
                SignInSession.id == session_id,
                SignInSession.ended_at.is_(None),
                SignInSession.renewed_at <= at - RENEW_AFTER,
            )
            .values(renewed_at=at, expires_at=expires_at)
        )


async def end(session: AsyncSession, hub: Hub, user_id: str, session_id: str) -> bool:
    """End one session of this person, its open streams included; False when there is no such live session."""
    ended = await _end(session, hub, user_id, SignInSession.id == session_id)
    return bool(ended)


async def end_all(session: AsyncSession, hub: Hub, user_id: str, *, except_id: str | None = None) -> int:
    """End every session of this person but `except_id`; returns how many there were."""
    return len(await _end(session, hub, user_id, SignInSession.id.is_distinct_from(except_id)))


async def live_sessions_of(session: AsyncSession, user_id: str) -> Sequence[SignInSession]:
    """The person's sessions that still work, the latest first."""
    found = await session.scalars(
        select(SignInSession)
        .where(
            SignInSession.user_id == user_id,
            SignInSession.ended_at.is_(None),
            SignInSession.expires_at > now(),
        )
        .order_by(SignInSession.id.desc())
    )
    return found.all()


async def last_seen(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, datetime]:
    """When each of these people last used a browser, to the day."""
    rows = await session.execute(
        select(SignInSession.user_id, func.max(SignInSession.renewed_at))
        .where(SignInSession.user_id.in_(user_ids))
        .group_by(SignInSession.user_id)
    )
    return dict(rows.all())


async def _end(session: AsyncSession, hub: Hub, user_id: str, which: ColumnElement[bool]) -> Sequence[str]:
    result = await session.scalars(
        update(SignInSession)
        .where(SignInSession.user_id == user_id, SignInSession.ended_at.is_(None), which)
        .values(ended_at=now())
        .returning(SignInSession.id)
    )
    ended = result.all()
    for session_id in ended:
        _announce(session, hub, stream_of_session(session_id))
    return ended


def _announce(session: AsyncSession, hub: Hub, stream: str) -> None:
    # Only after the commit: a stream that hangs up looks at the row, which must say so by then.
    after_commit(session, lambda: hub.publish(stream, SIGNED_OUT))
