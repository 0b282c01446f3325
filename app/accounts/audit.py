"""The log of what was done: who, what, when, from where. Rows are added and never changed.

Every room records its changes here, in the same transaction as the change itself. Never a secret, never
message text, never what might be a mistyped password.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import AuditEvent, User

COMMAND_LINE = "command line"
NOBODY = ""
LONGEST_DETAIL = 1000


@dataclass(frozen=True)
class Act:
    """Who acts, and from where. An actor without an account is given by name: COMMAND_LINE, or NOBODY."""

    actor: User | str
    address: str = ""

    @property
    def by(self) -> str:
        """The actor's name, as records keep it."""
        return self.actor.username if isinstance(self.actor, User) else self.actor


@dataclass(frozen=True)
class Filter:
    """Which events to show; empty fields let everything through."""

    who: str = ""
    action: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class EventPage:
    """Some events, the newest first; `next_before` is where the older ones begin, or None."""

    events: Sequence[AuditEvent]
    next_before: str | None


def record(session: AsyncSession, act: Act, action: str, *, subject: str = "", detail: str = "") -> None:
    """Note that `action` (a noun and a verb: `connection.created`) was done to `subject`."""
    session.add(
        AuditEvent(
            actor_id=act.actor.id if isinstance(act.actor, User) else None,
            actor_name=act.by,
            action=action,
            subject=subject,
            detail=detail[:LONGEST_DETAIL],
            address=act.address,
        )
    )


async def events(
    session: AsyncSession, wanted: Filter, *, before: str | None = None, limit: int = 50
) -> EventPage:
    """The newest events that pass the filter, older than the event `before`."""
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit + 1)
    if before:
        query = query.where(AuditEvent.id < before)
    if wanted.who:
        query = query.where(func.lower(AuditEvent.actor_name).contains(wanted.who.lower(), autoescape=True))
    if wanted.action:
        query = query.where(AuditEvent.action == wanted.action)
    if wanted.since:
        query = query.where(AuditEvent.at >= wanted.since)
    found = (await session.scalars(query)).all()
    return EventPage(found[:limit], found[limit - 1].id if len(found) > limit else None)


async def known_actions(session: AsyncSession) -> Sequence[str]:
    """Every action that was ever recorded, in alphabetical order."""
    return (await session.scalars(select(AuditEvent.action).distinct().order_by(AuditEvent.action))).all()
