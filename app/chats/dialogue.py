"""One conversation with one program over a socket: what it says is done, and what happens is told to it.

Whatever is asked for goes through the same verbs as at every other door. A reply's text is its own log: a
program that was cut off asks for what came after the position that it knows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from app.accounts.identity import Identity
from app.chats import crowding, posting
from app.chats.access import chat_of, message_of
from app.chats.asking import ask, exchange_of, reply_told
from app.chats.frames import FollowFrame, Frame, MessageFrame, StopFrame
from app.chats.models import RUNNING, Message
from app.chats.news import News, stream_of_owner, tell
from app.chats.replies import Replies
from app.chats.schemas import ChatBody, Exchange
from app.core.database import Database, after_commit
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.settings import Settings
from app.live.formats import Happening, as_object
from app.live.hub import Hub, Lagged

MOST_FOLLOWED = 20

Send = Callable[[Mapping[str, object]], Awaitable[None]]


@dataclass(frozen=True)
class House:
    """What a dialogue works with."""

    database: Database
    hub: Hub
    replies: Replies
    settings: Settings


class Dialogue:
    """`send` takes one frame. Leaving the `async with` block ends all that is being told."""

    def __init__(self, house: House, identity: Identity, chat_id: str, send: Send) -> None:
        self._house = house
        self._identity = identity
        self._chat_id = chat_id
        self._send = send
        self._id = new_id()
        self._followed: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> "Dialogue":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._followed.values():
            task.cancel()
        await asyncio.gather(*self._followed.values(), return_exceptions=True)

    async def greet(self) -> None:
        """The conversation, and which replies are being written in it: `open`."""
        async with self._house.database.reading() as session:
            chat = await chat_of(session, self._identity.user, self._chat_id)
            running = await session.scalars(
                select(Message.id).where(Message.chat_id == chat.id, Message.status.in_(RUNNING))
            )
            told = {"chat": ChatBody.of(chat).model_dump(mode="json"), "running": list(running)}
        await self._tell(Happening("open", told))

    async def do(self, frame: Frame) -> None:
        """Raises the errors of the verb that was asked for."""
        match frame:
            case MessageFrame():
                await self._say(frame)
            case StopFrame():
                await self._stop(frame)
            case FollowFrame():
                await self._join(frame)

    async def listen(self) -> None:
        """Tell what others say in the conversation, until it is deleted: it returns then."""
        with self._house.hub.subscribe(stream_of_owner(self._identity.user.id)) as subscription:
            while True:
                try:
                    heard = await subscription.next()
                except Lagged:
                    heard = {"chat": self._chat_id, "page": ""}
                if heard["chat"] != self._chat_id or heard["page"] == self._id:
                    continue
                try:
                    await self._tell_newest()
                except NotFound:
                    return

    async def _say(self, given: MessageFrame) -> None:
        house, user = self._house, self._identity.user
        async with house.database.writing(brief=True) as session:
            chat = await chat_of(session, user, self._chat_id, changing=True)
            await crowding.refuse_another(session, user, house.settings.max_running_replies)
            longest = house.settings.max_message_chars
            posted = await ask(session, chat, self._identity, given, longest=longest)
            exchange = await exchange_of(session, posted.question, posted.reply)
        if posted.is_new:
            house.replies.start(posted.reply)
            tell(house.hub, user.id, chat.id, News.POSTED, page=self._id)
        await self._begin(exchange)

    async def _stop(self, asked: StopFrame) -> None:
        async with self._house.database.writing(brief=True) as session:
            chat = await chat_of(session, self._identity.user, self._chat_id, changing=True)
            reply = await message_of(session, chat, asked.message_id)
            if await posting.request_stop(session, reply):
                after_commit(session, partial(self._house.replies.stop, reply.id))

    async def _join(self, asked: FollowFrame) -> None:
        async with self._house.database.reading() as session:
            chat = await chat_of(session, self._identity.user, self._chat_id)
            reply = await message_of(session, chat, asked.message_id)
        if not reply.is_reply:
            raise NotFound("Only replies can be followed. Name the message that answers.")
        self._follow(reply.id, asked.position)

    async def _tell_newest(self) -> None:
        """A reply that began elsewhere, unless it is known."""
        async with self._house.database.reading() as session:
            chat = await chat_of(session, self._identity.user, self._chat_id)
            reply = await session.get(Message, chat.tip_id) if chat.tip_id else None
            if reply is None or not reply.is_running or reply.id in self._followed or reply.parent_id is None:
                return
            question = await session.get_one(Message, reply.parent_id)
            exchange = await exchange_of(session, question, reply)
        await self._begin(exchange)

    async def _begin(self, exchange: Exchange) -> None:
        await self._tell(Happening("start", exchange.model_dump(mode="json")), exchange.reply.id)
        self._follow(exchange.reply.id, 0)

    def _follow(self, reply_id: str, position: int) -> None:
        """Tell a reply from a position on; who asks again for one that is being told begins there anew."""
        if earlier := self._followed.pop(reply_id, None):
            earlier.cancel()
        if len(self._followed) >= MOST_FOLLOWED:
            raise Conflict(f"{MOST_FOLLOWED} replies are being told already. Wait until one of them ends.")
        task = asyncio.create_task(self._tell_reply(reply_id, position))
        self._followed[reply_id] = task
        task.add_done_callback(lambda done: self._forget(reply_id, done))

    def _forget(self, reply_id: str, task: asyncio.Task[None]) -> None:
        if self._followed.get(reply_id) is task:
            del self._followed[reply_id]

    async def _tell_reply(self, reply_id: str, position: int) -> None:
        async for happening in reply_told(self._house.database, self._house.replies, reply_id, position):
            await self._tell(happening, reply_id)

    async def _tell(self, happening: Happening, message_id: str = "") -> None:
        about = {"message_id": message_id} if message_id else {}
        await self._send({**as_object(happening), **about})
