"""Stores calls of programs as conversations, after they ended: nobody's token waits for it.

A call, its messages and its line in the ledger are stored together or not at all; of what cannot be stored the line
is entered all the same. A call that repeats what an earlier one was told and answered goes on there.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats import images
from app.chats.endings import Ending
from app.chats.models import Chat, Message, MessageRole, MessageStatus
from app.chats.news import News, tell
from app.chats.posting import title_from
from app.chats.recorded_turns import Said, answer_after, conversation, instructions_in
from app.core.database import Database
from app.core.errors import Unavailable
from app.core.ids import new_id
from app.gateway import settling
from app.gateway.calls import Gateway
from app.gateway.settling import Settlement
from app.live.hub import Hub
from app.live.tasks import Tasks
from app.providers.base import Turn
from app.usage.ledger import Entry

SECONDS_BETWEEN_TRIES = 1.0
MOST_TRIES = 60
MOST_WAITING = 200
"""Bounds memory when the database is away for long; of what is dropped the line in the ledger is kept."""
MOST_LOOKED_FOR = 200
"""How many messages back a call may differ from an earlier one and still be a branch of it."""

log = structlog.get_logger("parley.recording")


@dataclass(frozen=True)
class Record:
    """A call that ended. `settlement` is None where everything is entered in the ledger already."""

    user_id: str
    api_key_id: str
    """Empty for a browser's session."""
    turns: Sequence[Turn]
    answer: Callable[[], Turn]
    """Puts it together; called where that holds up nobody."""
    model: str
    """`connection/model`, the one that answered or was asked last."""
    ending: Ending
    began_at: datetime
    ended_at: datetime
    first_token_ms: int | None
    settlement: Settlement | None


@dataclass(frozen=True)
class Place:
    """Where a call belongs: after `parent_id` in `chat`. So many of its messages as are `known` are there already."""

    chat: Chat
    news: News
    known: int = 0
    parent_id: str | None = None
    depth: int = -1


class Recorder:
    """The calls of one process that are not stored yet."""

    def __init__(self, database: Database, hub: Hub, tasks: Tasks, gateway: Gateway, *, longest: int) -> None:
        self._database = database
        self._hub = hub
        self._tasks = tasks
        self._gateway = gateway
        self._longest = longest
        self._waiting: deque[Record] = deque()
        self._storing: asyncio.Task[None] | None = None

    def keep(self, record: Record) -> None:
        """Store it, later; cannot be cancelled."""
        if len(self._waiting) >= MOST_WAITING:
            self._give_up(record, "too many wait")
            return
        self._waiting.append(record)
        if self._storing is None or self._storing.done():
            self._storing = self._tasks.start("record calls", self._store_all())

    async def drain(self, seconds: float) -> None:
        """Store what waits, as far as there is time."""
        if self._storing is not None:
            await asyncio.wait((self._storing,), timeout=seconds)

    def close(self) -> None:
        """Enter what was not stored in time; when no task runs any more and before the books are closed."""
        while self._waiting:
            self._give_up(self._waiting.popleft(), "the server stops")

    async def _store_all(self) -> None:
        while self._waiting:
            await self._store(self._waiting[0])

    async def _store(self, record: Record) -> None:
        try:
            place = await self._write_at_last(record)
        except (SQLAlchemyError, Unavailable) as error:
            # This one cannot be stored, and must not keep the others from it.
            self._waiting.popleft()
            self._give_up(record, type(error).__name__)
        else:
            self._waiting.popleft()
            tell(self._hub, record.user_id, place.chat.id, place.news)

    async def _write_at_last(self, record: Record) -> Place:
        for _ in range(MOST_TRIES):
            try:
                return await self._write(record)
            except (OperationalError, Unavailable) as error:
                log.warning("recording_delayed", waiting=len(self._waiting), kind=type(error).__name__)
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        return await self._write(record)

    def _give_up(self, record: Record, why: str) -> None:
        """What it cost is entered at least. Nothing is entered twice, should it have been stored after all."""
        log.error("call_not_recorded", why=why)
        if record.settlement is not None:
            self._gateway.enter(record.settlement)

    async def _write(self, record: Record) -> Place:
        # What was said may be megabytes: nobody else waits while it is looked through.
        said = await asyncio.to_thread(_said, record, self._longest)
        async with self._database.writing() as session:
            place = await _place_for(session, record, said)
            # First of all that is written: everybody locks the books before conversations.
            entry = await _entered(session, record, place.chat)
            await _add(session, record, place, said, entry)
        return place


def _said(record: Record, longest: int) -> list[Said]:
    told = conversation(f"calls of {record.user_id} {record.api_key_id}", record.turns, longest)
    return [*told, answer_after(told, record.answer())]


async def _place_for(session: AsyncSession, record: Record, said: Sequence[Said]) -> Place:
    """After the longest part of what was told that is there already."""
    told = {one.digest: position for position, one in enumerate(said[:-1], start=1)}
    rows = await session.execute(
        select(Message.id, Message.history_digest, Message.depth, Chat)
        .join(Chat, Chat.id == Message.chat_id)
        .where(
            Message.history_digest.in_(list(told)[-MOST_LOOKED_FOR:]),
            Chat.owner_id == record.user_id,
            Chat.deleted_at.is_(None),
        )
    )
    found = [(told[str(digest)], message_id, depth, chat) for message_id, digest, depth, chat in rows]
    if found:
        known, message_id, depth, chat = max(found, key=lambda one: one[:2])
        if _repeats_an_answer(said[:known]) or await _has_failed(session, chat):
            news = News.POSTED if chat.tip_id == message_id else News.BRANCH_CHANGED
            return Place(chat, news, known, message_id, depth)
    return Place(_new_chat(record, said), News.CHAT_CHANGED)


def _repeats_an_answer(known: Sequence[Said]) -> bool:
    """Who only asks the same again, such as a script every night, begins anew."""
    return any(one.role is MessageRole.ASSISTANT for one in known)


async def _has_failed(session: AsyncSession, chat: Chat) -> bool:
    """Whether what was said last is an answer that failed: who asks again then tries again."""
    tip = select(Message.status).where(Message.id == chat.tip_id)
    return bool(await session.scalar(tip) == MessageStatus.FAILED)


def _new_chat(record: Record, said: Sequence[Said]) -> Chat:
    first = next((one.content for one in said if one.role is MessageRole.USER), "")
    return Chat(
        id=new_id(),
        owner_id=record.user_id,
        title=title_from(first),
        system_prompt=instructions_in(record.turns),
        recorded_from=record.api_key_id,
        created_at=record.began_at,
    )


async def _entered(session: AsyncSession, record: Record, chat: Chat) -> Entry | None:
    """What was entered in the ledger for the call, which now counts to its conversation."""
    if record.settlement is None:
        return None
    entry = replace(record.settlement.entry, origin=f"chat:{chat.id}")
    [entered] = await settling.enter(session, [replace(record.settlement, entry=entry)])
    return entered


async def _add(
    session: AsyncSession, record: Record, place: Place, said: Sequence[Said], entry: Entry | None
) -> None:
    chat, parent_id, depth = place.chat, place.parent_id, place.depth
    session.add(chat)
    await session.flush()
    for one in said[place.known :]:
        depth += 1
        message = _message(record, chat, one, parent_id, depth)
        session.add(message)
        if one.images:
            await session.flush()
            await images.store(session, message, one.images)
        parent_id = message.id
    _complete(message, record, entry)
    chat.tip_id, chat.model, chat.last_activity_at = message.id, record.model, record.ended_at
    await session.flush()


def _message(record: Record, chat: Chat, said: Said, parent_id: str | None, depth: int) -> Message:
    is_question = said.role is MessageRole.USER
    return Message(
        id=new_id(),
        chat_id=chat.id,
        parent_id=parent_id,
        depth=depth,
        role=said.role,
        author_id=record.user_id if is_question else None,
        content=said.content,
        reasoning=said.reasoning,
        history_digest=said.digest,
        created_at=record.began_at,
    )


def _complete(reply: Message, record: Record, entry: Entry | None) -> None:
    """What is known of the answer beside its text."""
    reply.model = record.model
    reply.api_key_id = record.api_key_id or None
    reply.status = record.ending.status
    reply.error_code, reply.error_message = record.ending.error_code, record.ending.error_message
    reply.finished_at = record.ended_at
    if record.first_token_ms is not None:
        reply.first_token_at = record.began_at + timedelta(milliseconds=record.first_token_ms)
    if entry is not None:
        reply.input_tokens, reply.output_tokens = entry.input_tokens, entry.output_tokens
        reply.cached_tokens, reply.reasoning_tokens = entry.cache_read_tokens, entry.reasoning_tokens
        reply.tokens_are_estimated, reply.cost_micros = entry.is_estimate, entry.cost_micros
