"""What a person's conversations are called, for rooms that know only their ids."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.chats.models import Chat


async def titles_of(session: AsyncSession, user: User, chat_ids: Sequence[str]) -> Mapping[str, str]:
    """The titles of those of these conversations that are the person's own and not deleted, by id."""
    query = select(Chat.id, Chat.title).where(
        Chat.id.in_(chat_ids), Chat.owner_id == user.id, Chat.deleted_at.is_(None)
    )
    return {row.id: row.title or "New conversation" for row in await session.execute(query)}
