"""Reading a conversation: the branch that ends at a message, a page at a time.

A chat of 10,000 messages opens as fast as one of 20: the walk goes from the newest message towards the
first, and stops when it has a page.
"""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import CTE, bindparam, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats import images
from app.chats.models import Chat, Message, MessageRole
from app.providers.base import Image, Role, Turn

PAGE = 30


def _branch() -> CTE:
    """The ids of the `limit` messages that end with `last`, and how far each is from it."""
    step = (
        select(Message.id, Message.parent_id, literal(1).label("distance"))
        .where(Message.id == bindparam("last"), Message.chat_id == bindparam("chat"))
        .cte("branch", recursive=True)
    )
    return step.union_all(
        select(Message.id, Message.parent_id, step.c.distance + 1)
        .join(step, Message.id == step.c.parent_id)
        .where(step.c.distance < bindparam("limit"))
    )


# Built once: every page and every reply asks.
BRANCH = _branch()
PAGE_ENDING_AT = select(Message).join(BRANCH, Message.id == BRANCH.c.id).order_by(BRANCH.c.distance.desc())
TOLD_UP_TO = (
    select(Message.id, Message.role, Message.content, Message.depth, Message.image_count)
    .join(BRANCH, Message.id == BRANCH.c.id)
    .order_by(BRANCH.c.distance)
)


@dataclass(frozen=True)
class Page:
    """Messages, oldest first; `earlier_id` is the message just before them, None at the beginning."""

    messages: list[Message]
    earlier_id: str | None


@dataclass(frozen=True)
class Variants:
    """The alternatives to a message, oldest first, itself included."""

    ids: list[str]

    def number_of(self, message_id: str) -> int:
        return self.ids.index(message_id) + 1

    def before(self, message_id: str) -> str | None:
        index = self.ids.index(message_id)
        return self.ids[index - 1] if index > 0 else None

    def after(self, message_id: str) -> str | None:
        index = self.ids.index(message_id)
        return self.ids[index + 1] if index + 1 < len(self.ids) else None


async def page_ending_at(
    session: AsyncSession, chat: Chat, last_id: str | None, *, limit: int = PAGE
) -> Page:
    """The `limit` messages of the branch that ends with `last_id`."""
    if last_id is None:
        return Page([], None)
    found = await session.scalars(PAGE_ENDING_AT, {"chat": chat.id, "last": last_id, "limit": limit})
    messages = list(found)
    return Page(messages, messages[0].parent_id if messages else None)


async def told_up_to(
    session: AsyncSession, chat_id: str, last_id: str | None, *, limit: int, sees: bool = True
) -> tuple[list[Turn], int]:
    """What a model is told of the branch that ends with `last_id`, newest first, at most `limit` messages of it.

    Also how many messages lie before them. A model that does not see is told where images were.
    """
    rows = (await session.execute(TOLD_UP_TO, {"chat": chat_id, "last": last_id, "limit": limit})).all()
    illustrated = [row.id for row in rows if row.image_count]
    shown = await images.told(session, illustrated) if illustrated and sees else {}
    turns = (_turn(row.role, row.content, row.image_count, shown.get(row.id, ())) for row in rows)
    return [turn for turn in turns if turn is not None], rows[-1].depth if rows else 0


async def messages_after(session: AsyncSession, chat: Chat, message_id: str) -> list[Message]:
    """What the branch being read has after `message_id`: empty when that is not on it, or is its end."""
    known = await session.scalar(
        select(Message.depth).where(Message.id == message_id, Message.chat_id == chat.id)
    )
    tip = await session.get(Message, chat.tip_id) if chat.tip_id else None
    if known is None or tip is None or tip.depth <= known:
        return []
    page = await page_ending_at(session, chat, tip.id, limit=tip.depth - known)
    return page.messages if page.earlier_id == message_id else []


async def variants_of(session: AsyncSession, chat: Chat, messages: list[Message]) -> dict[str, Variants]:
    """For each of `messages`, by id, its alternatives."""
    parents = {message.parent_id for message in messages}
    is_sibling = (
        Message.parent_id.in_(parents - {None})
        if None not in parents
        else or_(Message.parent_id.is_(None), Message.parent_id.in_(parents - {None}))
    )
    rows = await session.execute(
        select(Message.parent_id, Message.id)
        .where(Message.chat_id == chat.id, is_sibling)
        .order_by(Message.id)
    )
    siblings: defaultdict[str | None, list[str]] = defaultdict(list)
    for parent_id, message_id in rows:
        siblings[parent_id].append(message_id)
    return {message.id: Variants(siblings[message.parent_id]) for message in messages}


async def newest_descendant(session: AsyncSession, chat: Chat, message_id: str) -> str:
    """The newest message that follows from `message_id`; ids grow with time, so nothing follows it."""
    step = (
        select(Message.id)
        .where(Message.id == message_id, Message.chat_id == chat.id)
        .cte("descendants", recursive=True)
    )
    descendants = step.union_all(select(Message.id).join(step, Message.parent_id == step.c.id))
    return await session.scalar(select(func.max(descendants.c.id))) or message_id


def _turn(role: str, content: str, image_count: int, shown: tuple[Image, ...]) -> Turn | None:
    """What a model is told of a message; None for a reply that never said anything.

    The error of a failed reply is not part of it: errors are kept beside the text, never in it.
    """
    if role == MessageRole.USER:
        is_left_out = image_count > len(shown)
        return Turn(Role.USER, f"{content}\n\n{images.LEFT_OUT}" if is_left_out else content, images=shown)
    if not content:
        return None
    return Turn(Role.ASSISTANT, content)
