"""What the database knows of replies that are being written: their text so far, a heartbeat, their end.

All running replies of a process are saved together, twice a second, in one transaction. A process that is
killed loses at most that much of an answer, and its replies are found by their old heartbeats.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats.broadcasts import Checkpoint, LiveReply
from app.chats.models import RUNNING, Chat, Message, MessageStatus
from app.core.clock import now
from app.gateway.metering import Receipt

MESSAGES = cast("Table", Message.__table__)

SECONDS_BETWEEN = 0.5
HEARTBEAT_EVERY = timedelta(seconds=3)
DEAD_AFTER = timedelta(seconds=15)


@dataclass(frozen=True)
class Ending:
    """How a reply ended: a final status, and the error's code and sentence when it failed."""

    status: MessageStatus
    error_code: str = ""
    error_message: str = ""


async def read(session: AsyncSession, reply_id: str) -> Checkpoint | None:
    row = (
        await session.execute(
            select(Message.content, Message.reasoning, Message.status).where(Message.id == reply_id)
        )
    ).one_or_none()
    return Checkpoint(*row) if row else None


async def save(session: AsyncSession, replies: Iterable[LiveReply]) -> list[str]:
    """Store the text so far of each reply. Returns the ids of those that somebody wants stopped."""
    rows = [
        {
            "reply_id": live.id,
            "content": live.content,
            "reasoning": live.reasoning,
            "status": live.status,
            "first_token_at": live.first_token_at,
            "heartbeat_at": now(),
        }
        for live in replies
    ]
    if not rows:
        return []
    # Spelled out: a list of values is one that drivers cannot take for several rows at once.
    is_running = or_(*(Message.status == status for status in RUNNING))
    statement = update(MESSAGES).where(Message.id == bindparam("reply_id"), is_running)
    await session.execute(
        statement.values({name: bindparam(name) for name in rows[0] if name != "reply_id"}), rows
    )
    stopped = await session.scalars(
        select(Message.id).where(
            Message.id.in_([row["reply_id"] for row in rows]), Message.stop_requested_at.is_not(None)
        )
    )
    return list(stopped)


async def save_ending(
    session: AsyncSession, live: LiveReply, ending: Ending, receipt: Receipt | None
) -> Chat:
    """Store the whole reply with what it used. Returns its chat."""
    reply = await session.get_one(Message, live.id)
    reply.content, reply.reasoning = live.content, live.reasoning
    reply.status = ending.status
    reply.error_code, reply.error_message = ending.error_code, ending.error_message
    reply.left_out = live.left_out
    reply.first_token_at = reply.first_token_at or live.first_token_at
    reply.heartbeat_at = reply.finished_at = now()
    reply.reasoning_ms = reply.reasoning_ms or _reasoning_ms(live)
    if receipt is not None:
        _add_usage(reply, receipt)
    chat = await session.get_one(Chat, reply.chat_id)
    chat.last_activity_at = now()
    chat.is_unread = live.readers == 0 and ending.status is not MessageStatus.STOPPED
    return chat


async def mark_interrupted(session: AsyncSession, older_than: datetime | None = None) -> list[str]:
    """Replies that nobody writes any more keep their text and are marked. Returns their chats' ids.

    `older_than` spares those with a newer heartbeat: another process may be writing them.
    """
    is_old = true() if older_than is None else Message.heartbeat_at < older_than
    rows = await session.execute(
        update(Message)
        .where(Message.status.in_(RUNNING), is_old)
        .values(status=MessageStatus.INTERRUPTED, finished_at=Message.heartbeat_at)
        .returning(Message.chat_id)
    )
    return list(dict.fromkeys(rows.scalars()))


def _reasoning_ms(live: LiveReply) -> int | None:
    if not live.reasoning or live.first_token_at is None:
        return None
    return round(((live.first_word_at or now()) - live.first_token_at).total_seconds() * 1000)


def _add_usage(reply: Message, receipt: Receipt) -> None:
    """Added, not set: a continued reply was paid for twice."""
    usage = receipt.usage
    reply.input_tokens = (reply.input_tokens or 0) + usage.input
    reply.cached_tokens = (reply.cached_tokens or 0) + usage.cache_read
    reply.output_tokens = (reply.output_tokens or 0) + usage.output
    reply.reasoning_tokens = (reply.reasoning_tokens or 0) + usage.reasoning
    reply.tokens_are_estimated = reply.tokens_are_estimated or receipt.is_estimate
    if receipt.charge.micros is not None:
        reply.cost_micros = (reply.cost_micros or 0) + receipt.charge.micros
