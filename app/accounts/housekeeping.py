"""What is of no use any more: sessions that ended long ago, tickets nobody used, and counts of tries that delay nobody."""

from datetime import timedelta

from sqlalchemy import delete, or_

from app.accounts import attempts
from app.accounts.models import SignInSession, Ticket
from app.core.clock import now
from app.core.database import Database

SECONDS_BETWEEN_ROUNDS = 6 * 60 * 60
SESSIONS_KEPT = timedelta(days=90)


async def tidy(database: Database) -> None:
    """Remove them. The audit log keeps what is worth knowing."""
    long_ago = now() - SESSIONS_KEPT
    async with database.writing() as session:
        await attempts.forget_old(session)
        await session.execute(delete(Ticket).where(Ticket.expires_at < now()))
        await session.execute(
            delete(SignInSession).where(
                or_(SignInSession.ended_at < long_ago, SignInSession.expires_at < long_ago)
            )
        )
