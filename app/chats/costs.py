"""What a conversation cost so far, in all its branches, by model."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.access import faces_of
from app.chats.models import Chat, Message
from app.chats.views import ChatCost, ModelCost


async def cost_of(session: AsyncSession, chat: Chat) -> ChatCost:
    """Added up from an index, without reading a message."""
    rows = (
        await session.execute(
            select(
                Message.model,
                func.count(),
                func.sum(Message.cost_micros),
                func.count(Message.cost_micros),
                func.count().filter(Message.tokens_are_estimated),
            )
            .where(Message.chat_id == chat.id, Message.output_tokens.is_not(None))
            .group_by(Message.model)
            .order_by(Message.model)
        )
    ).all()
    faces = await faces_of(session, {row[0] for row in rows}, chat.owner_id)
    return ChatCost(
        [
            ModelCost(
                label=faces[model].label,
                icon=faces[model].icon,
                hue=faces[model].hue,
                replies=replies,
                micros=int(micros) if micros is not None else None,
                is_whole=priced == replies,
                is_estimate=bool(is_estimate),
            )
            for model, replies, micros, priced, is_estimate in rows
        ]
    )
