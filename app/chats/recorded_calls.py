"""What is written of calls that programs made: where each belongs, its messages, and its line in the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats import images
from app.chats.endings import Ending
from app.chats.models import Chat, Message, MessageRole, MessageStatus
from app.chats.news import News
from app.chats.posting import title_from
from app.chats.recorded_turns import Said, answer_after, conversation, instructions_in
from app.core.ids import new_id
from app.gateway import settling
from app.gateway.settling import Settlement
from app.providers.base import Turn
from app.usage.ledger import Entry

MOST_LOOKED_FOR = 200
"""How many messages back a call may differ from an earlier one and still be a branch of it."""


@dataclass(frozen=True, eq=False)
class Record:
    """A call that ended. `settlement` is None where everything is entered in the ledger already."""

    user_id: str
    api_key_id: str
    """Empty for a browser's session."""
    turns: Sequence[Turn]
    answer: Callable[[], Turn]
    """Puts it together; called where that holds up nobody."""
    answer_size: int
    """Bytes that are held for it, about."""
    model: str
    """`connection/model`, the one that answered or was asked last."""
    ending: Ending
    began_at: datetime
    ended_at: datetime
    first_token_ms: int | None
    settlement: Settlement | None

    def said(self, longest: int) -> list[Said]:
        """What was told, and at the end the answer."""
        owner = f"calls of {self.user_id} {self.api_key_id}"
        told = conversation(owner, self.turns, longest)
        return [*told, answer_after(told[-1].digest if told else owner, self.answer())]


@dataclass(frozen=True)
class Placed:
    """A call with its conversation. `messages` are those that are new: the last is the answer."""

    record: Record
    chat: Chat
    messages: Sequence[tuple[Message, Said]]
    news: News

    @property
    def reply(self) -> Message:
        return self.messages[-1][0]


@dataclass(frozen=True)
class Point:
    """A message that is there already, and what was said up to it."""

    message_id: str
    depth: int
    digest: str
    chat: Chat


class Writing:
    """Calls that are written together; each may go on where an earlier one ended."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._calls: list[Placed] = []
        self._written: dict[str, Point] = {}
        """By the digest."""
        self._tips: dict[str, Message] = {}
        """The answer that will be a conversation's last, by the conversation."""

    async def place(self, record: Record, said: Sequence[Said]) -> None:
        """Find where it belongs: after the longest part of what was told that is there already."""
        told = {one.digest: position for position, one in enumerate(said[:-1], start=1)}
        point = await self._last_known(record, list(told)[-MOST_LOOKED_FOR:])
        if point is not None and await self._goes_on(point, said[: told[point.digest]]):
            is_last = self._tip_of(point.chat) == point.message_id
            news = News.POSTED if is_last else News.BRANCH_CHANGED
            self._add(record, point.chat, said[told[point.digest] :], news, point)
        else:
            self._add(record, _new_chat(record, said), said, News.CHAT_CHANGED)

    async def write(self) -> list[Placed]:
        # Before anything else is changed: everybody locks the books before conversations.
        await self._enter()
        for call in self._calls:
            call.chat.tip_id, call.chat.model = call.reply.id, call.record.model
            call.chat.last_activity_at = call.record.ended_at
            self._session.add(call.chat)
        await self._session.flush()
        messages = [pair for call in self._calls for pair in call.messages]
        self._session.add_all(message for message, _ in messages)
        await self._session.flush()
        for message, one in messages:
            if one.images:
                await images.store(self._session, message, one.images)
        return self._calls

    def _add(
        self, record: Record, chat: Chat, said: Sequence[Said], news: News, after: Point | None = None
    ) -> None:
        messages: list[tuple[Message, Said]] = []
        for one in said:
            message = _message(record, chat, one, after)
            after = Point(message.id, message.depth, one.digest, chat)
            self._written[one.digest] = after
            messages.append((message, one))
        _note_ending(message, record)
        self._calls.append(Placed(record, chat, messages, news))
        self._tips[chat.id] = message

    async def _last_known(self, record: Record, digests: Sequence[str]) -> Point | None:
        rows = await self._session.execute(
            select(Message.id, Message.depth, Message.history_digest, Message.chat_id)
            .join(Chat, Chat.id == Message.chat_id)
            .where(
                Message.history_digest.in_(digests),
                Chat.owner_id == record.user_id,
                Chat.deleted_at.is_(None),
            )
            .order_by(Message.depth.desc(), Message.id.desc())
            .limit(1)
        )
        points = [self._written[digest] for digest in digests if digest in self._written]
        for message_id, depth, digest, chat_id in rows:
            chat = await self._session.get_one(Chat, chat_id)
            points.append(Point(message_id, depth, str(digest), chat))
        return max(points, key=lambda point: (point.depth, point.message_id), default=None)

    async def _goes_on(self, point: Point, known: Sequence[Said]) -> bool:
        """Who only asks the same again, such as a script every night, begins anew, unless the answer failed."""
        return any(one.role is MessageRole.ASSISTANT for one in known) or await self._has_failed(point.chat)

    async def _has_failed(self, chat: Chat) -> bool:
        """Whether what was said last is an answer that failed: who asks again then tries again."""
        if chat.id in self._tips:
            return self._tips[chat.id].status == MessageStatus.FAILED
        tip = select(Message.status).where(Message.id == chat.tip_id)
        return bool(await self._session.scalar(tip) == MessageStatus.FAILED)

    def _tip_of(self, chat: Chat) -> str | None:
        return self._tips[chat.id].id if chat.id in self._tips else chat.tip_id

    async def _enter(self) -> None:
        paid = [(call, found) for call in self._calls if (found := call.record.settlement)]
        entered = await settling.enter(self._session, [_of_chat(found, call.chat) for call, found in paid])
        for (call, _), entry in zip(paid, entered, strict=True):
            _note_use(call.reply, entry)


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


def _message(record: Record, chat: Chat, said: Said, after: Point | None) -> Message:
    is_question = said.role is MessageRole.USER
    return Message(
        id=new_id(),
        chat_id=chat.id,
        parent_id=after.message_id if after else None,
        depth=after.depth + 1 if after else 0,
        role=said.role,
        author_id=record.user_id if is_question else None,
        content=said.content,
        reasoning=said.reasoning,
        history_digest=said.digest,
        created_at=record.began_at,
    )


def _of_chat(settlement: Settlement, chat: Chat) -> Settlement:
    """What was used counts to the conversation."""
    return replace(settlement, entry=replace(settlement.entry, origin=f"chat:{chat.id}"))


def _note_ending(reply: Message, record: Record) -> None:
    reply.model = record.model
    reply.api_key_id = record.api_key_id or None
    reply.status = record.ending.status
    reply.error_code, reply.error_message = record.ending.error_code, record.ending.error_message
    reply.finished_at = record.ended_at
    if record.first_token_ms is not None:
        reply.first_token_at = record.began_at + timedelta(milliseconds=record.first_token_ms)


def _note_use(reply: Message, entry: Entry) -> None:
    reply.input_tokens, reply.output_tokens = entry.input_tokens, entry.output_tokens
    reply.cached_tokens, reply.reasoning_tokens = entry.cache_read_tokens, entry.reasoning_tokens
    reply.tokens_are_estimated, reply.cost_micros = entry.is_estimate, entry.cost_micros
