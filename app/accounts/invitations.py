"""Invitation links: each makes one account, once, within its time."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, people
from app.accounts.audit import Act
from app.accounts.models import Invitation, User, UserRole
from app.core.clock import now
from app.core.crypto import keyed_hash
from app.core.errors import Conflict, NotFound

GONE = "This invitation was used, withdrawn, or is too old. Ask whoever invited you for a new one."


@dataclass(frozen=True)
class NewInvitation:
    """An invitation that was just made. `token` is the end of its link: this is the only time it is known."""

    row: Invitation
    token: str


async def invite(
    session: AsyncSession,
    inviter: User,
    signing_key: str,
    act: Act,
    *,
    role: UserRole,
    days: int,
    email: str = "",
) -> NewInvitation:
    """A link for one account with this role; with an e-mail address, for that address only. Raises Invalid."""
    token = secrets.token_urlsafe(24)
    row = Invitation(
        token_hash=_hash_of(token, signing_key),
        email=people.checked_email(email) if email.strip() else "",
        role=role,
        created_by=inviter.id,
        expires_at=now() + timedelta(days=days),
    )
    session.add(row)
    await session.flush()
    audit.record(
        session,
        act,
        "invitation.created",
        subject=row.email or "anyone with the link",
        detail=f"role {role}",
    )
    return NewInvitation(row, token)


async def find_open(session: AsyncSession, token: str, signing_key: str) -> Invitation:
    """The invitation behind a link. Raises NotFound when it cannot be used, Conflict when somebody did."""
    behind_link = select(Invitation).where(Invitation.token_hash == _hash_of(token, signing_key))
    found = await session.scalar(behind_link.where(_is_open(now())))
    if found is None:
        # Of two who accept at once, the later one hears the same whether a moment or a second passed.
        was_used = await session.scalar(behind_link.where(Invitation.accepted_at.is_not(None)))
        raise NotFound(GONE) if was_used is None else Conflict(GONE)
    return found


async def use_up(session: AsyncSession, invitation_id: str, user: User) -> None:
    """Mark the invitation as used by this new account. Raises Conflict when another took it meanwhile."""
    at = now()
    taken = await session.scalar(
        update(Invitation)
        .where(Invitation.id == invitation_id, _is_open(at))
        .values(accepted_at=at, accepted_by=user.id)
        .returning(Invitation.id)
    )
    if taken is None:
        raise Conflict(GONE)


async def all_open(session: AsyncSession) -> Sequence[Invitation]:
    """Invitations that wait to be used, the latest first."""
    found = await session.scalars(select(Invitation).where(_is_open(now())).order_by(Invitation.id.desc()))
    return found.all()


async def withdraw(session: AsyncSession, invitation_id: str, act: Act) -> None:
    """End an open invitation. Raises NotFound when there is none."""
    row = await session.scalar(
        update(Invitation)
        .where(Invitation.id == invitation_id, _is_open(now()))
        .values(withdrawn_at=now())
        .returning(Invitation)
    )
    if row is None:
        raise NotFound(GONE)
    subject = row.email or "anyone with the link"
    audit.record(session, act, "invitation.withdrawn", subject=subject)


def _is_open(at: datetime) -> ColumnElement[bool]:
    unused = Invitation.accepted_at.is_(None) & Invitation.withdrawn_at.is_(None)
    return unused & (Invitation.expires_at > at)


def _hash_of(token: str, signing_key: str) -> str:
    return keyed_hash(signing_key, f"invitation:{token}")
