"""What is needed to write one reply, read in one short session: whose it is, which model, what it is told."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.accounts.models import Workspace
from app.catalog.access import find_model
from app.chats import context, history
from app.chats.models import RUNNING, Chat, Message
from app.gateway.calls import Call
from app.providers.base import Role, Turn

GO_ON = "Continue your last message exactly where it ends. Repeat nothing and add no introduction."
MOST_MESSAGES = 4_000
"""How far back a conversation is looked at; no window holds more."""


@dataclass(frozen=True)
class Job:
    """One reply to be written."""

    reply_id: str
    chat_id: str
    owner_id: str
    call: Call
    left_out: int
    """How many earlier messages did not fit."""


async def prepare(session: AsyncSession, reply: Message) -> Job:
    """Raises catalog.access.ModelNotUsable and context.QuestionTooLong."""
    chat = await session.get_one(Chat, reply.chat_id)
    model = await find_model(session, reply.model, chat.owner_id)
    last_id = reply.id if reply.content else reply.parent_id
    page = await history.page_ending_at(session, chat, last_id, limit=MOST_MESSAGES)
    told = [turn for turn in map(history.as_turn, page.messages) if turn is not None]
    if reply.content:
        told.append(Turn(Role.USER, GO_ON))
    chosen = context.assemble(
        await _system_prompt(session, chat), reversed(told), len(told), model.context_window
    )
    call = Call(
        chat.owner_id,
        reply.model,
        chosen.turns,
        origin=f"chat:{chat.id}",
        api_key_id=reply.api_key_id,
    )
    return Job(reply.id, chat.id, chat.owner_id, call, chosen.left_out + _beyond(page))


async def running_before(session: AsyncSession, reply: Message) -> str | None:
    """The reply that must be whole before this one can be written: the one that its question follows."""
    question = aliased(Message)
    return await session.scalar(
        select(Message.id)
        .join(question, Message.id == question.parent_id)
        .where(question.id == reply.parent_id, Message.status.in_(RUNNING))
    )


def _beyond(page: history.Page) -> int:
    return page.messages[0].depth if page.messages else 0


async def _system_prompt(session: AsyncSession, chat: Chat) -> str:
    if chat.system_prompt is not None:
        return chat.system_prompt
    return await session.scalar(select(Workspace.system_prompt)) or ""
