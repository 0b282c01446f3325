"""Conversations as JSON and as server-sent events, for scripts and other clients."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import CurrentIdentity, CurrentUser, Scope, needs, require_identity
from app.chats import branching, posting
from app.chats.access import (
    CurrentChat,
    CurrentMessage,
    CurrentReplies,
    CurrentReply,
    RoomForAnother,
    bounds_of,
    hub_of,
    message_of,
    stream_to,
)
from app.chats.asking import ask, bodies_of, exchange_of, reply_told, require_model, whole_reply
from app.chats.history import page_ending_at
from app.chats.news import News, tell
from app.chats.picker import model_for_next
from app.chats.replies import Replies
from app.chats.schemas import (
    BranchChoice,
    ChatBody,
    ChatChange,
    ChatList,
    Exchange,
    MessageBody,
    MessageList,
    NewChat,
    NewMessage,
    VariantWish,
)
from app.chats.sidebar import chats_of
from app.core import paging
from app.core.database import Database, Session, after_commit, briefly, database_of
from app.core.errors import Invalid
from app.core.paging import Cursor
from app.live.formats import EVENTS, Happening, format_for, written

router = APIRouter(prefix="/api/chats", tags=["Conversations"], dependencies=[needs(Scope.CHAT)])

STREAMS: dict[str, Any] = {"text/event-stream": {}, "application/x-ndjson": {}}

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("")
async def list_chats(
    user: CurrentUser,
    session: Session,
    before: Annotated[str | None, Query(pattern=paging.PATTERN)] = None,
    limit: Limit = 50,
) -> ChatList:
    """Your conversations, the most recent first."""
    found = await chats_of(session, user, Cursor.parse(before) if before else None, limit=limit + 1)
    shown = found[:limit]
    more = Cursor(shown[-1].last_activity_at, shown[-1].id).text if len(found) > limit else None
    return ChatList(chats=[ChatBody.of(chat) for chat in shown], next=more)


@router.post("", status_code=201)
async def create_chat(request: Request, user: CurrentUser, session: Session, given: NewChat) -> ChatBody:
    """Begin a conversation; without a model it gets the one you used last."""
    chat = await posting.create_chat(
        session,
        user,
        title=given.title or "",
        model=await model_for_next(session, user, given.model or ""),
        system_prompt=given.system_prompt,
    )
    _tell(request, session, user.id, chat.id, News.CHAT_CHANGED)
    return ChatBody.of(chat)


@router.get("/{chat_id}")
async def read_chat(chat: CurrentChat) -> ChatBody:
    """One conversation: its title, its model and its system prompt."""
    return ChatBody.of(chat)


@router.patch("/{chat_id}")
async def change_chat(
    request: Request, chat: CurrentChat, user: CurrentUser, session: Session, change: ChatChange
) -> ChatBody:
    """Rename it (an empty title changes nothing), choose another model, or give it a system prompt of its own."""
    if change.title is not None:
        posting.rename_chat(chat, change.title)
    if change.model is not None:
        chat.model = change.model
    if "system_prompt" in change.model_fields_set:
        prompt = change.system_prompt
        chat.system_prompt = None if prompt is None else posting.checked_prompt(prompt)
    _tell(request, session, user.id, chat.id, News.CHAT_CHANGED)
    return ChatBody.of(chat)


@router.delete("/{chat_id}", status_code=204)
async def delete_chat(
    request: Request, chat: CurrentChat, user: CurrentUser, session: Session, replies: CurrentReplies
) -> Response:
    """Delete it, and stop what is being written in it."""
    for reply_id in await posting.delete_chat(session, chat):
        after_commit(session, partial(replies.stop, reply_id))
    _tell(request, session, user.id, chat.id, News.CHAT_CHANGED)
    return Response(status_code=204)


@router.get("/{chat_id}/messages")
async def list_messages(
    chat: CurrentChat, session: Session, before: str | None = None, limit: Limit = 50
) -> MessageList:
    """The branch being read, oldest first; `before` goes towards the beginning."""
    if before is not None:
        await message_of(session, chat, before)
    shown = await page_ending_at(session, chat, before or chat.tip_id, limit=limit)
    return MessageList(messages=await bodies_of(session, shown.messages), next=shown.earlier_id)


@router.post(
    "/{chat_id}/messages",
    response_model=Exchange,
    responses={
        200: {
            "description": "The whole exchange, or its events as `Accept` asks for.",
            "content": STREAMS,
        }
    },
)
@briefly
async def create_message(
    request: Request,
    chat: CurrentChat,
    identity: CurrentIdentity,
    session: Session,
    replies: CurrentReplies,
    given: NewMessage,
    accept: Annotated[str, Header()] = "application/json",
) -> Response:
    """Say something.

    With `Accept: application/json` the answer comes when the reply is whole. With `text/event-stream` or
    `application/x-ndjson` it comes as events: `start` with question and reply, `delta` with `{"text"}`, then `done`
    or `error` with the whole reply. Going away does not stop the reply.
    """
    posted = await ask(session, chat, identity, given, bounds_of(request))
    exchange = await exchange_of(session, posted.question, posted.reply)
    await session.commit()
    if posted.is_new:
        replies.start(posted.reply)
        tell(hub_of(request), identity.user.id, chat.id, News.POSTED, reply_id=posted.reply.id)
    database = database_of(request)
    if style := format_for(accept):
        told = written(_exchange_told(database, replies, exchange), style)
        return stream_to(request, identity, told, style)
    reply = await whole_reply(database, replies, posted.reply.id)
    # Somebody whose key or session ended while they waited is told nothing more.
    await require_identity(request)
    exchange.reply = MessageBody.of(reply)
    return Response(exchange.model_dump_json(), media_type="application/json")


@router.get("/{chat_id}/messages/{message_id}")
async def read_message(message: CurrentMessage, session: Session) -> MessageBody:
    """One message, as it is now."""
    (body,) = await bodies_of(session, [message])
    return body


@router.post("/{chat_id}/messages/{message_id}/variants", status_code=201, dependencies=[RoomForAnother])
async def create_variant(
    request: Request,
    chat: CurrentChat,
    reply: CurrentReply,
    identity: CurrentIdentity,
    session: Session,
    replies: CurrentReplies,
    wish: VariantWish,
) -> MessageBody:
    """Ask for another answer beside this one; join its stream to see it grow."""
    await require_model(session, identity.caller, wish.model or chat.model or reply.model)
    variant = await posting.regenerate(session, chat, reply, wish.model, api_key_id=identity.api_key_id)
    after_commit(session, partial(replies.start, variant))
    _tell(request, session, identity.user.id, chat.id, News.BRANCH_CHANGED, reply_id=variant.id)
    return MessageBody.of(variant)


@router.post("/{chat_id}/messages/{message_id}/continuation", status_code=202, dependencies=[RoomForAnother])
async def create_continuation(
    request: Request,
    chat: CurrentChat,
    reply: CurrentReply,
    identity: CurrentIdentity,
    session: Session,
    replies: CurrentReplies,
) -> MessageBody:
    """Let a stopped or interrupted answer go on where it ends; join its stream to see it grow."""
    await require_model(session, identity.caller, reply.model)
    await posting.continue_reply(session, chat, reply, api_key_id=identity.api_key_id)
    after_commit(session, partial(replies.start, reply))
    _tell(request, session, identity.user.id, chat.id, News.BRANCH_CHANGED)
    return MessageBody.of(reply)


@router.put("/{chat_id}/branch")
async def choose_branch(
    request: Request, chat: CurrentChat, user: CurrentUser, session: Session, choice: BranchChoice
) -> ChatBody:
    """Read the branch that goes through a message, to its newest end."""
    await branching.read_branch_of(session, chat, await message_of(session, chat, choice.message_id))
    _tell(request, session, user.id, chat.id, News.BRANCH_CHANGED)
    return ChatBody.of(chat)


@router.get(
    "/{chat_id}/messages/{message_id}/stream",
    response_class=Response,
    responses={200: {"content": STREAMS}},
)
async def stream_message(
    request: Request,
    reply: CurrentReply,
    identity: CurrentIdentity,
    replies: CurrentReplies,
    last_event_id: Annotated[str, Header()] = "",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Join a reply, or go on after `Last-Event-ID`, the number of characters already known.

    Server-sent events, unless `Accept` asks for `application/x-ndjson`.
    """
    if last_event_id and not (last_event_id.isdecimal() and len(last_event_id) < 10):
        raise Invalid("Last-Event-ID is a number of characters.", field="Last-Event-ID")
    style = format_for(accept) or EVENTS
    told = reply_told(database_of(request), replies, reply.id, int(last_event_id or 0))
    return stream_to(request, identity, written(told, style), style)


@router.delete("/{chat_id}/replies/{message_id}", status_code=204)
async def stop_reply(reply: CurrentReply, session: Session, replies: CurrentReplies) -> Response:
    """Stop a reply; what it said so far is kept."""
    if await posting.request_stop(session, reply):
        after_commit(session, lambda: replies.stop(reply.id))
    return Response(status_code=204)


async def _exchange_told(
    database: Database, replies: Replies, exchange: Exchange
) -> AsyncGenerator[Happening, None]:
    yield Happening("start", exchange.model_dump(mode="json"))
    async with aclosing(reply_told(database, replies, exchange.reply.id)) as told:
        async for happening in told:
            yield happening


def _tell(
    request: Request, session: AsyncSession, user_id: str, chat_id: str, news: News, *, reply_id: str = ""
) -> None:
    after_commit(session, lambda: tell(hub_of(request), user_id, chat_id, news, reply_id=reply_id))
