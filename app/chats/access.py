"""The only door to conversations: rows are reached through the person asking, or not at all."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from app.accounts.access import CurrentUser, Identity
from app.accounts.models import User
from app.chats import crowding
from app.chats.models import Chat, Message, MessageRole
from app.chats.posting import Bounds
from app.chats.replies import Replies
from app.chats.streaming import until_signed_out
from app.core.database import SAFE_METHODS, Session, database_of
from app.core.errors import NotFound
from app.core.settings import Settings
from app.live.formats import PAGE_EVENTS, Format
from app.live.hub import Hub
from app.live.sse import EventStream
from app.live.stopping import Stopping


async def chat_of(
    session: AsyncSession, user: User, chat_id: str, *, deleted: bool = False, changing: bool = False
) -> Chat:
    """The person's chat with this id; `changing` keeps it to oneself until the commit. Raises NotFound.

    Not found rather than forbidden: a stranger must not learn that the chat exists.
    """
    query = select(Chat).where(Chat.id == chat_id, Chat.owner_id == user.id)
    chat = await session.scalar(query.with_for_update() if changing else query)
    if chat is None or (chat.deleted_at is not None) != deleted:
        raise NotFound
    return chat


async def message_of(session: AsyncSession, chat: Chat, message_id: str) -> Message:
    """A message of a chat that was found through the person asking. Raises NotFound."""
    message = await session.scalar(
        select(Message).where(Message.id == message_id, Message.chat_id == chat.id)
    )
    if message is None:
        raise NotFound
    return message


async def _current_chat(request: Request, session: Session, user: CurrentUser, chat_id: str) -> Chat:
    # Two tabs may post at once: one after the other, so that neither hides the other's message.
    return await chat_of(session, user, chat_id, changing=request.method not in SAFE_METHODS)


async def _deleted_chat(session: Session, user: CurrentUser, chat_id: str) -> Chat:
    return await chat_of(session, user, chat_id, deleted=True, changing=True)


CurrentChat = Annotated[Chat, Depends(_current_chat)]
DeletedChat = Annotated[Chat, Depends(_deleted_chat)]


async def _current_message(session: Session, chat: CurrentChat, message_id: str) -> Message:
    return await message_of(session, chat, message_id)


CurrentMessage = Annotated[Message, Depends(_current_message)]


async def _current_reply(message: CurrentMessage) -> Message:
    if message.role != MessageRole.ASSISTANT:
        raise NotFound
    return message


CurrentReply = Annotated[Message, Depends(_current_reply)]


def hub_of(connection: HTTPConnection) -> Hub:
    """Where the person's other pages hear what changed."""
    hub: Hub = connection.app.state.hub
    return hub


def bounds_of(connection: HTTPConnection) -> Bounds:
    """How much one person may say here."""
    settings: Settings = connection.app.state.settings
    return Bounds.of(settings)


def stream_to(
    request: Request, identity: Identity, events: AsyncGenerator[bytes, None], style: Format = PAGE_EVENTS
) -> EventStream:
    """A stream that ends when this person is signed out, or the server stops."""
    stopping: Stopping = request.app.state.stopping
    over = until_signed_out(database_of(request), hub_of(request), stopping, identity)
    return EventStream(events, until=over, media_type=style.media_type, keep_alive=style.keep_alive)


def _replies(request: Request) -> Replies:
    replies: Replies = request.app.state.replies
    return replies


CurrentReplies = Annotated[Replies, Depends(_replies)]


async def _room_for_another(request: Request, session: Session, user: CurrentUser) -> None:
    settings: Settings = request.app.state.settings
    await crowding.refuse_another(session, user, settings.max_running_replies)


RoomForAnother = Depends(_room_for_another)
"""Stands at the doors that let a reply begin to a question that is there. Who asks one is refused by `posting`."""
