"""Stores replies that ended, with what they used: as soon as possible, and all that ended meanwhile at once.

A reply and its line in the ledger are stored together or not at all. What cannot be stored is tried again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats.broadcasts import LiveReply
from app.chats.checkpoints import MESSAGES
from app.chats.models import Chat, Message, MessageStatus
from app.core.clock import now
from app.core.database import Database
from app.core.database_errors import AWAY
from app.gateway import settling
from app.gateway.calls import Completion
from app.live.tasks import Tasks
from app.logs import Log
from app.usage.ledger import Entry

SECONDS_BETWEEN_TRIES = 1.0
MOST_AT_ONCE = 200
CHATS = cast("Table", Chat.__table__)

OF_REPLY = Message.id == bindparam("of_reply")
SAVE = (
    update(MESSAGES)
    .where(OF_REPLY)
    .values(
        content=bindparam("content"),
        reasoning=bindparam("reasoning"),
        status=bindparam("status"),
        error_code=bindparam("error_code"),
        error_message=bindparam("error_message"),
        left_out=bindparam("left_out"),
        first_token_at=func.coalesce(Message.first_token_at, bindparam("first_token")),
        reasoning_ms=func.coalesce(Message.reasoning_ms, bindparam("thought_ms")),
        heartbeat_at=bindparam("ended"),
        finished_at=bindparam("ended"),
    )
)
# Added, not set: a continued reply was paid for twice.
SAVE_WITH_USE = SAVE.values(
    input_tokens=func.coalesce(Message.input_tokens, 0) + bindparam("input"),
    cached_tokens=func.coalesce(Message.cached_tokens, 0) + bindparam("cached"),
    output_tokens=func.coalesce(Message.output_tokens, 0) + bindparam("output"),
    reasoning_tokens=func.coalesce(Message.reasoning_tokens, 0) + bindparam("thought"),
    # An alias was asked for; this is who answered.
    model=bindparam("written_by"),
    tokens_are_estimated=or_(Message.tokens_are_estimated, bindparam("is_estimate")),
    cost_micros=case(
        (bindparam("cost").is_(None), Message.cost_micros),
        else_=func.coalesce(Message.cost_micros, 0) + bindparam("cost"),
    ),
)
SAVE_CHAT = (
    update(CHATS)
    .where(Chat.id == bindparam("of_chat"))
    .values(last_activity_at=bindparam("last_activity_at"), is_unread=bindparam("is_unread"))
)
OWNERS = select(Chat.id, Chat.owner_id).where(Chat.id.in_(bindparam("ids", expanding=True)))

log = Log("endings")


@dataclass(frozen=True)
class Ending:
    """How a reply ended: a final status, and the code and sentence of what ended it, where that was nobody's wish."""

    status: MessageStatus
    error_code: str = ""
    error_message: str = ""

    @property
    def was_wanted(self) -> bool:
        """Whether somebody stopped it."""
        return self.status is MessageStatus.STOPPED and not self.error_code


@dataclass(frozen=True)
class Ended:
    """A reply that ended. `completion` is None when no model was called."""

    live: LiveReply
    chat_id: str
    ending: Ending
    completion: Completion | None


Waiting = tuple[Ended, asyncio.Future[str | None]]


class Endings:
    """The ended replies of one process that are not stored yet."""

    def __init__(self, database: Database, tasks: Tasks) -> None:
        self._database = database
        self._tasks = tasks
        self._waiting: list[Waiting] = []
        self._is_storing = False

    async def store(self, ended: Ended) -> str | None:
        """Return when it is stored: the owner of the conversation, None when that is gone."""
        stored: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((ended, stored))
        if not self._is_storing:
            self._is_storing = True
            self._tasks.start("store replies", self._store_all())
        return await stored

    async def _store_all(self) -> None:
        try:
            while self._waiting:
                await self._store_some(self._waiting[:MOST_AT_ONCE])
        finally:
            self._is_storing = False

    async def _store_some(self, batch: Sequence[Waiting]) -> None:
        try:
            owners = await self._write([ended for ended, _ in batch])
        except AWAY as error:
            log.warning("storing_failed", waiting=len(self._waiting), kind=type(error).__name__)
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        except Exception as error:  # noqa: BLE001  (whatever it is: it must not cost others their words)
            # One of them cannot be stored, and must not keep the others from it.
            for waiting in batch if len(batch) > 1 else ():
                await self._store_some([waiting])
            if len(batch) == 1:
                self._waiting.remove(batch[0])
                batch[0][1].set_exception(error)
        else:
            for ended, stored in batch:
                self._waiting.remove((ended, stored))
                stored.set_result(owners.get(ended.chat_id))

    async def _write(self, batch: Sequence[Ended]) -> dict[str, str]:
        """Store them; whose conversations they belong to."""
        async with self._database.writing(brief=True) as session:
            called = [
                (ended, found.settlement)
                for ended in batch
                if (found := ended.completion) and found.settlement
            ]
            entries = await settling.enter(session, [settlement for _, settlement in called])
            last = {ended.live.id: entry for (ended, _), entry in zip(called, entries, strict=True)}
            used = {ended.live.id: entries for ended in batch if (entries := _entries(ended, last))}
            await _save_replies(session, batch, used)
            return await _save_chats(session, batch)


async def _save_replies(
    session: AsyncSession, batch: Sequence[Ended], used: Mapping[str, Sequence[Entry]]
) -> None:
    """`used` is what was entered in the ledger for a reply, by its id: a line for each model that was asked."""
    for statement, rows in (
        (SAVE, [_text(ended) for ended in batch if ended.live.id not in used]),
        (
            SAVE_WITH_USE,
            [_text(ended) | _use(used[ended.live.id]) for ended in batch if ended.live.id in used],
        ),
    ):
        if rows:
            await session.execute(statement, sorted(rows, key=lambda row: str(row["of_reply"])))


async def _save_chats(session: AsyncSession, batch: Sequence[Ended]) -> dict[str, str]:
    rows = [
        {
            "of_chat": ended.chat_id,
            "last_activity_at": now(),
            "is_unread": ended.live.readers == 0 and not ended.ending.was_wanted,
        }
        for ended in batch
    ]
    await session.execute(SAVE_CHAT, sorted(rows, key=lambda row: str(row["of_chat"])))
    owners = await session.execute(OWNERS, {"ids": list({ended.chat_id for ended in batch})})
    return {row.id: row.owner_id for row in owners}


def _text(ended: Ended) -> dict[str, object]:
    live, ending = ended.live, ended.ending
    return {
        "of_reply": live.id,
        "content": live.content,
        "reasoning": live.reasoning,
        "status": ending.status,
        "error_code": ending.error_code,
        "error_message": ending.error_message,
        "left_out": live.left_out,
        "first_token": live.first_token_at,
        "ended": now(),
        "thought_ms": _reasoning_ms(live),
    }


def _entries(ended: Ended, last: Mapping[str, Entry]) -> list[Entry]:
    """What was entered for a reply, in the order in which models were asked."""
    earlier = ended.completion.earlier if ended.completion else []
    return [*earlier, last[ended.live.id]] if ended.live.id in last else earlier


def _use(entries: Sequence[Entry]) -> dict[str, object]:
    costs = [entry.cost_micros for entry in entries if entry.cost_micros is not None]
    return {
        "input": sum(entry.input_tokens for entry in entries),
        "cached": sum(entry.cache_read_tokens for entry in entries),
        "output": sum(entry.output_tokens for entry in entries),
        "thought": sum(entry.reasoning_tokens for entry in entries),
        "is_estimate": any(entry.is_estimate for entry in entries),
        "cost": sum(costs) if costs else None,
        "written_by": entries[-1].full_model,
    }


def _reasoning_ms(live: LiveReply) -> int | None:
    if not live.reasoning or live.first_token_at is None:
        return None
    return round(((live.first_word_at or now()) - live.first_token_at).total_seconds() * 1000)
