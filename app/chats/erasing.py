"""Deleted conversations are erased a day later; until then deleting can be undone."""

from datetime import timedelta

from sqlalchemy import select, update

from app.chats.models import Chat, Message
from app.core.clock import now
from app.core.database import Database

SECONDS_BETWEEN_ROUNDS = 60 * 60
UNDONE_WITHIN = timedelta(days=1)


async def erase_deleted(database: Database) -> None:
    """Erase, with all their messages, the conversations that were deleted more than a day ago."""
    async with database.reading() as session:
        old = await session.scalars(select(Chat.id).where(Chat.deleted_at < now() - UNDONE_WITHIN))
    for chat_id in old.all():
        await _erase(database, chat_id)


async def _erase(database: Database, chat_id: str) -> None:
    # One at a time, so that those who chat wait for no more than one.
    async with database.writing() as session:
        found = await session.scalars(
            select(Chat).where(Chat.id == chat_id, Chat.deleted_at.is_not(None)).with_for_update()
        )
        for chat in found:  # unless it was restored just now
            # Or the database would follow every answer to the next, and SQLite gives up after a thousand.
            await session.execute(update(Message).where(Message.chat_id == chat.id).values(parent_id=None))
            await session.delete(chat)
