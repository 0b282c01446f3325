"""Whether conversations say what the ledger says: what their replies cost, added up."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats.models import RUNNING, Message
from app.usage.models import ChatSum


@dataclass(frozen=True)
class Difference:
    """A conversation whose replies do not add up to what the ledger has of it, in micro-US-dollars."""

    chat_id: str
    messages: int
    ledger: int

    def __str__(self) -> str:
        return (
            f"Conversation {self.chat_id}: its replies cost {self.messages}, the ledger says {self.ledger}."
        )


async def differences(session: AsyncSession) -> list[Difference]:
    """Every conversation that disagrees; those that are gone or being written in are left out."""
    running = select(Message.chat_id).where(Message.status.in_(RUNNING))
    query = (
        select(Message.chat_id, func.sum(func.coalesce(Message.cost_micros, 0)), ChatSum.cost_micros)
        .join(
            ChatSum, (ChatSum.chat_id == Message.chat_id) & (ChatSum.connection == "") & (ChatSum.model == "")
        )
        .where(Message.output_tokens.is_not(None), Message.chat_id.not_in(running))
        .group_by(Message.chat_id, ChatSum.cost_micros)
    )
    return [
        Difference(chat_id, int(messages), ledger)
        for chat_id, messages, ledger in await session.execute(query)
        if int(messages) != ledger
    ]
