"""Tickets: each opens one socket, once, within a minute, for whoever asked for it.

A page or a program that cannot send headers with a socket puts a ticket into its address, where a key or a
cookie's token must never stand. A ticket is worth nothing once it was shown, and ends with what it was made with.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import identity as identities
from app.accounts.identity import Identity
from app.accounts.models import ApiKey, Ticket
from app.core.clock import now
from app.core.crypto import derived_key, keyed_hash
from app.core.database import Database
from app.core.errors import NotSignedIn, TooMany

LIFETIME = timedelta(seconds=60)
MOST_AT_ONCE = 30
"""Of one account that nobody used yet."""
START = "ticket_"
USED = "This ticket is not good any more: each opens one socket, once, within a minute. Ask for another one."


class TicketNotGood(NotSignedIn):
    code = "ticket_not_good"
    title = "This ticket is not good any more"


@dataclass(frozen=True)
class NewTicket:
    """`secret` is the ticket itself; only its hash is kept."""

    secret: str
    expires_at: datetime


async def issue(session: AsyncSession, identity: Identity, signing_key: str) -> NewTicket:
    """A ticket for this identity. Raises TooMany."""
    at = now()
    user_id = identity.user.id
    await session.execute(delete(Ticket).where(Ticket.user_id == user_id, Ticket.expires_at <= at))
    open_ones = await session.scalar(
        select(func.count()).select_from(Ticket).where(Ticket.user_id == user_id)
    )
    if (open_ones or 0) >= MOST_AT_ONCE:
        raise TooMany("You have many tickets that nobody used. Use them, or wait a minute.", retry_after=60)
    ticket = NewTicket(START + secrets.token_urlsafe(32), at + LIFETIME)
    session.add(
        Ticket(
            token_hash=_hash_of(ticket.secret, signing_key),
            user_id=user_id,
            session_id=identity.session_id,
            api_key_id=identity.api_key_id,
            expires_at=ticket.expires_at,
        )
    )
    await session.flush()
    return ticket


async def redeem(database: Database, secret: str, signing_key: str, address: str) -> Identity:
    """Who the ticket was made for; from now on it is used. Raises TicketNotGood."""
    async with database.writing() as session:
        # Deleted and read in one statement: of two who show the same ticket one gets in, in whatever process.
        found = await session.execute(
            delete(Ticket)
            .where(Ticket.token_hash == _hash_of(secret, signing_key))
            .returning(Ticket.session_id, Ticket.api_key_id, Ticket.expires_at)
        )
        ticket = found.one_or_none()
        identity = None
        if ticket is not None and ticket.expires_at > now():
            identity = await _identity(session, ticket.session_id, ticket.api_key_id)
    if identity is None or not identity.is_valid(now()) or not identity.rules.admits(address):
        raise TicketNotGood(USED)
    return identity


async def _identity(session: AsyncSession, session_id: str | None, api_key_id: str | None) -> Identity | None:
    if session_id is not None:
        return await identities.by_session_id(session, session_id)
    key_hash = await session.scalar(select(ApiKey.key_hash).where(ApiKey.id == api_key_id))
    return await identities.by_key_hash(session, key_hash) if key_hash else None


def _hash_of(secret: str, signing_key: str) -> str:
    return keyed_hash(derived_key(signing_key, "tickets"), secret)
