"""Saying something in a conversation through a door of programs, and what they are then told: streams and sockets
tell the same."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.callers import Caller
from app.accounts.identity import Identity
from app.catalog.candidates import full_names_behind
from app.chats import images, posting
from app.chats.models import Chat, Message
from app.chats.picker import model_for_next
from app.chats.posting import Bounds, Draft, Posted
from app.chats.replies import Replies
from app.chats.schemas import Exchange, MessageBody, NewMessage
from app.chats.streaming import text_of
from app.core.database import Database
from app.live.formats import Happening


async def ask(
    session: AsyncSession, chat: Chat, identity: Identity, given: NewMessage, bounds: Bounds
) -> Posted:
    """The question and its empty reply, stored. Raises what `posting.post` raises, and ModelNotAllowed."""
    model = await model_for_next(session, identity.user, given.model or chat.model)
    await require_model(session, identity.caller, model)
    # In a thread: megabytes of base64 would keep everybody else waiting.
    pictures = await asyncio.to_thread(images.images_from, given.images) if given.images else ()
    draft = Draft(given.content, model, given.key, identity.api_key_id, pictures)
    return await posting.post(session, chat, identity.user, draft, bounds)


async def require_model(session: AsyncSession, caller: Caller, name: str) -> None:
    """Raises ModelNotAllowed unless the caller's key allows the model, or one that the name stands for."""
    if not caller.may_use(name):
        caller.require_model(name, *await full_names_behind(session, name, caller.user_id))


async def bodies_of(session: AsyncSession, messages: Sequence[Message]) -> list[MessageBody]:
    pictures = await images.images_of(session, messages)
    return [MessageBody.of(message, pictures.get(message.id, ())) for message in messages]


async def exchange_of(session: AsyncSession, question: Message, reply: Message) -> Exchange:
    asked, answered = await bodies_of(session, [question, reply])
    return Exchange(question=asked, reply=answered)


async def reply_told(
    database: Database, replies: Replies, reply_id: str, start: int = 0
) -> AsyncGenerator[Happening, None]:
    """The reply from character `start` on: `delta` after `delta`, then `done`, or `error` when it failed."""
    async with aclosing(text_of(replies.broadcasts, reply_id, start)) as growing:
        async for happening in growing:
            yield happening
    whole = MessageBody.of(await whole_reply(database, replies, reply_id))
    yield Happening("error" if whole.error else "done", whole.model_dump(mode="json"))


async def whole_reply(database: Database, replies: Replies, reply_id: str) -> Message:
    """The reply, once it has ended."""
    async with replies.broadcasts.reading(reply_id) as live:
        await live.ended()
    async with database.reading(brief=True) as session:
        return await session.get_one(Message, reply_id)
