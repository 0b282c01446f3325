"""What the database knows of replies that are being written: their text so far, a heartbeat, their end.

All running replies of a process are saved together, twice a second, in one transaction. A process that is
killed loses at most that much of an answer, and its replies are found by their old heartbeats.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats.broadcasts import Checkpoint, LiveReply
from app.chats.models import RUNNING, Chat, Message, MessageStatus
from app.core.clock import now
from app.usage import open_calls
from app.usage.ledger import Entry

MESSAGES = cast("Table", Message.__table__)

SECONDS_BETWEEN = 0.5
HEARTBEAT_EVERY = timedelta(seconds=3)
DEAD_AFTER = timedelta(seconds=15)


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
    statement = statement.values({name: bindparam(name) for name in rows[0] if name != "reply_id"})
    # A continued reply had its first word before.
    first = func.coalesce(Message.first_token_at, bindparam("first_token_at"))
    await session.execute(statement.values(first_token_at=first), rows)
    stopped = await session.scalars(
        select(Message.id).where(
            Message.id.in_([row["reply_id"] for row in rows]), Message.stop_requested_at.is_not(None)
        )
    )
    return list(stopped)


async def mark_interrupted(session: AsyncSession, older_than: datetime | None = None) -> dict[str, str]:
    """Replies that nobody writes any more keep their text and are marked. Returns the owners of their chats, by chat.

    What their calls had used is entered in the ledger. `older_than` spares those with a newer heartbeat: another
    process may be writing them.
    """
    is_old = true() if older_than is None else Message.heartbeat_at < older_than
    marked = await session.execute(
        update(Message)
        .where(Message.status.in_(RUNNING), is_old)
        .values(status=MessageStatus.INTERRUPTED, finished_at=Message.heartbeat_at)
        .returning(Message.id, Message.chat_id)
    )
    chats = {row.id: row.chat_id for row in marked}
    if not chats:
        return {}
    await _count(session, await open_calls.enter_abandoned(session, claims=chats))
    owners = await session.execute(select(Chat.id, Chat.owner_id).where(Chat.id.in_(set(chats.values()))))
    return {row.id: row.owner_id for row in owners}


async def _count(session: AsyncSession, entries: Mapping[str, Entry]) -> None:
    """Add to replies what was entered in the ledger for them. A continued reply was paid for before, too."""
    for reply in await session.scalars(select(Message).where(Message.id.in_(entries))):
        entry = entries[reply.id]
        reply.model = entry.full_model
        reply.input_tokens = (reply.input_tokens or 0) + entry.input_tokens
        reply.cached_tokens = (reply.cached_tokens or 0) + entry.cache_read_tokens
        reply.output_tokens = (reply.output_tokens or 0) + entry.output_tokens
        reply.reasoning_tokens = (reply.reasoning_tokens or 0) + entry.reasoning_tokens
        reply.tokens_are_estimated = True
        if entry.cost_micros is not None:
            reply.cost_micros = (reply.cost_micros or 0) + entry.cost_micros
