"""Which branch of a conversation is being read."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.chats.history import newest_descendant
from app.chats.models import Chat, Message


async def read_branch_of(session: AsyncSession, chat: Chat, message: Message) -> None:
    """Read the branch that goes through `message`, to its newest end."""
    chat.tip_id = await newest_descendant(session, chat, message.id)
    await session.flush()
