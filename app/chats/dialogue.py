"""One conversation with one program over a socket: what it says is done, and what happens is told to it.

Whatever is asked for goes through the same verbs as at every other door. A reply's text is its own log: a
program that was cut off asks for what came after the position that it knows. What is to be told while the database
is away is told when it is back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from functools import partial

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.identity import Identity
from app.chats import posting
from app.chats.access import chat_of, message_of
from app.chats.asking import ask, exchange_of, reply_told
from app.chats.frames import FollowFrame, Frame, MessageFrame, StopFrame
from app.chats.models import RUNNING, Chat, Message
from app.chats.news import News, stream_of_owner, tell
from app.chats.posting import Bounds
from app.chats.replies import Replies
from app.chats.schemas import ChatBody, Exchange
from app.core.database import Database, after_commit
from app.core.database_errors import AWAY
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.settings import Settings
from app.live.formats import Happening, as_object
from app.live.hub import Hub, Lagged, Subscription
from app.live.tasks import Tasks
from app.logs import Log

MOST_FOLLOWED = 20
"""While so many replies are told, no others are on request. What begins in the conversation is told all the same."""
SECONDS_BETWEEN_TRIES = 1.0

Send = Callable[[Mapping[str, object]], Awaitable[None]]

log = Log("dialogue")


@dataclass(frozen=True)
class House:
    """What a dialogue works with."""

    database: Database
    hub: Hub
    replies: Replies
    settings: Settings
    tasks: Tasks


class Dialogue:
    """`send` takes one frame, and does not fail when the other side is gone.

    Leaving the block ends all that is being told.
    """

    _news: Subscription

    def __init__(self, house: House, identity: Identity, chat_id: str, send: Send) -> None:
        self._house = house
        self._identity = identity
        self._chat_id = chat_id
        self._send = send
        self._id = new_id()
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._offered: set[str] = set()
        """Replies that the greeting named: whether to follow them is for the other side to say."""
        self._known: set[str] = set()
        """Replies that were offered, or told."""
        self._lines = ExitStack()
        self._one_at_a_time = asyncio.Lock()
        """Held while something is said or followed here: news of it must not announce it a second time."""

    async def __aenter__(self) -> "Dialogue":
        # Before the greeting: what begins while that is put together is heard of, too.
        news = self._house.hub.subscribe(stream_of_owner(self._identity.user.id))
        self._news = self._lines.enter_context(news)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._lines.close()
        telling = list(self._followed.values())
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)

    async def greet(self) -> None:
        """The conversation, and which replies are being written in it: `open`."""
        async with self._house.database.reading() as session:
            chat = await chat_of(session, self._identity.user, self._chat_id)
            running = await session.scalars(
                select(Message.id).where(Message.chat_id == chat.id, Message.status.in_(RUNNING))
            )
            told = {"chat": ChatBody.of(chat).model_dump(mode="json"), "running": list(running)}
        self._offered.update(told["running"])
        self._known |= self._offered
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
        """Tell what is said elsewhere in the conversation, until it is deleted: it returns then."""
        while True:
            try:
                heard = await self._news.next()
            except Lagged:
                heard = {"chat": self._chat_id, "page": ""}
            if heard["chat"] != self._chat_id or heard["page"] == self._id:
                continue
            try:
                await _at_last(partial(self._tell_begun, str(heard.get("reply", ""))))
            except NotFound:
                return

    async def _say(self, given: MessageFrame) -> None:
        async with self._one_at_a_time:
            await self._begin(await self._posted(given))

    async def _posted(self, given: MessageFrame) -> Exchange:
        house, user = self._house, self._identity.user
        async with house.database.writing(brief=True) as session:
            chat = await chat_of(session, user, self._chat_id, changing=True)
            posted = await ask(session, chat, self._identity, given, Bounds.of(house.settings))
            exchange = await exchange_of(session, posted.question, posted.reply)
        if posted.is_new:
            house.replies.start(posted.reply)
            tell(house.hub, user.id, chat.id, News.POSTED, page=self._id, reply_id=posted.reply.id)
        return exchange

    async def _stop(self, asked: StopFrame) -> None:
        async with self._house.database.writing(brief=True) as session:
            chat = await chat_of(session, self._identity.user, self._chat_id, changing=True)
            reply = await message_of(session, chat, asked.message_id)
            if await posting.request_stop(session, reply):
                after_commit(session, partial(self._house.replies.stop, reply.id))

    async def _join(self, asked: FollowFrame) -> None:
        async with self._one_at_a_time:
            async with self._house.database.reading() as session:
                chat = await chat_of(session, self._identity.user, self._chat_id)
                reply = await message_of(session, chat, asked.message_id)
            if not reply.is_reply:
                raise NotFound("Only replies can be followed. Name the message that answers.")
            if reply.id not in self._followed and len(self._followed) >= MOST_FOLLOWED:
                raise Conflict(
                    f"{MOST_FOLLOWED} replies are being told already. Wait until one of them ends."
                )
            self._follow(reply.id, asked.position)

    async def _tell_begun(self, named: str) -> None:
        """The replies that began elsewhere, unless they are known; the one that the news named even if it ended."""
        async with self._one_at_a_time:
            async with self._house.database.reading() as session:
                chat = await chat_of(session, self._identity.user, self._chat_id)
                begun = [
                    await _exchange(session, reply) for reply in await self._unknown(session, chat, named)
                ]
            for exchange in begun:
                await self._begin(exchange)

    async def _unknown(self, session: AsyncSession, chat: Chat, named: str) -> list[Message]:
        is_wanted = or_(Message.status.in_(RUNNING), Message.id == named)
        found = await session.scalars(
            select(Message).where(Message.chat_id == chat.id, is_wanted).order_by(Message.id)
        )
        replies = found.all()
        running = {reply.id for reply in replies if reply.is_running}
        # One that ended and runs again was continued.
        self._offered &= running
        spared = self._followed.keys() | self._offered | (self._known - running)
        return [reply for reply in replies if reply.parent_id is not None and reply.id not in spared]

    async def _begin(self, exchange: Exchange) -> None:
        await self._tell(Happening("start", exchange.model_dump(mode="json")), exchange.reply.id)
        self._follow(exchange.reply.id, 0)

    def _follow(self, reply_id: str, position: int) -> None:
        """Tell a reply from a position on; who asks again for one that is being told begins there anew."""
        if earlier := self._followed.pop(reply_id, None):
            earlier.cancel()
        task = self._house.tasks.start(f"tell {reply_id}", self._tell_reply(reply_id, position))
        self._followed[reply_id] = task
        self._known.add(reply_id)
        task.add_done_callback(lambda done: self._forget(reply_id, done))

    def _forget(self, reply_id: str, task: asyncio.Task[None]) -> None:
        if self._followed.get(reply_id) is task:
            del self._followed[reply_id]

    async def _tell_reply(self, reply_id: str, position: int) -> None:
        house = self._house

        async def tell_the_rest() -> None:
            nonlocal position
            async with aclosing(reply_told(house.database, house.replies, reply_id, position)) as told:
                async for happening in told:
                    await self._tell(happening, reply_id)
                    position = position if happening.position is None else happening.position

        await _at_last(tell_the_rest)

    async def _tell(self, happening: Happening, message_id: str = "") -> None:
        about = {"message_id": message_id} if message_id else {}
        await self._send({**as_object(happening), **about})


async def _exchange(session: AsyncSession, reply: Message) -> Exchange:
    return await exchange_of(session, await session.get_one(Message, reply.parent_id), reply)


async def _at_last(tell: Callable[[], Awaitable[None]]) -> None:
    """Again and again while the database is away: who listens has asked for nothing that could be refused."""
    while True:
        try:
            return await tell()
        except AWAY as error:
            log.warning("telling_delayed", kind=type(error).__name__)
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
