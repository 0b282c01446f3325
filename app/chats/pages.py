"""Conversations as pages: take, do, show."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import CurrentUser
from app.accounts.models import User
from app.chats import branching, posting
from app.chats.access import (
    CurrentChat,
    CurrentMessage,
    CurrentReplies,
    CurrentReply,
    DeletedChat,
    RoomForAnother,
    bounds_of,
    hub_of,
)
from app.chats.costs import cost_of
from app.chats.forms import CurrentWritten, Written, composer_for
from app.chats.history import Page, page_ending_at
from app.chats.models import Chat
from app.chats.news import News, tell
from app.chats.picker import model_for_next, picker_for
from app.chats.presenting import chat_view, earlier_url, present
from app.chats.sidebar import link_to, sidebar_of
from app.chats.unsent_forms import KeepsWords
from app.core.clock import now
from app.core.database import Session, after_commit, briefly, commit_early, database_of
from app.core.errors import Invalid
from app.core.paging import Cursor
from app.core.requests import is_htmx
from app.core.templating import page, timezone_of
from app.usage.budget_overview import warnings
from app.usage.parameters import currency_for

router = APIRouter(include_in_schema=False, route_class=KeepsWords)

Model = Annotated[str, Form()]


@router.get("/")
async def new_chat(request: Request, user: CurrentUser, session: Session) -> HTMLResponse:
    return await _page(request, user, session, None, Page([], None))


@router.post("/chats")
async def create_chat(
    request: Request,
    user: CurrentUser,
    session: Session,
    replies: CurrentReplies,
    written: CurrentWritten,
) -> Response:
    try:
        draft = await written.draft(await model_for_next(session, user, written.model))
        posted = await posting.start_chat(session, user, draft, bounds_of(request))
    except Invalid as error:
        return await _refused(request, user, session, None, written, error)
    if posted.is_new:
        after_commit(session, lambda: replies.start(posted.reply))
        _tell(request, session, user, posted.question.chat_id, News.CHAT_CHANGED)
    return _go_to(request, f"/chats/{posted.question.chat_id}")


@router.get("/chats/{chat_id}")
async def show_chat(request: Request, chat: CurrentChat, user: CurrentUser, session: Session) -> HTMLResponse:
    return await _page(request, user, session, chat, await page_ending_at(session, chat, chat.tip_id))


@router.get("/chats/{chat_id}/messages")
async def show_earlier_messages(
    request: Request, chat: CurrentChat, user: CurrentUser, session: Session, before: str
) -> Response:
    shown = await page_ending_at(session, chat, before)
    if not is_htmx(request):
        return await _page(request, user, session, chat, shown)
    return await _messages(request, chat, shown)


@router.post("/chats/{chat_id}/messages")
@briefly
async def create_message(
    request: Request,
    chat: CurrentChat,
    user: CurrentUser,
    session: Session,
    replies: CurrentReplies,
    written: CurrentWritten,
) -> Response:
    try:
        draft = await written.draft(await model_for_next(session, user, written.model or chat.model))
        posted = await posting.post(session, chat, user, draft, bounds_of(request))
    except Invalid as error:
        return await _refused(request, user, session, chat, written, error)
    if posted.is_new:
        after_commit(session, lambda: replies.start(posted.reply))
        _tell(request, session, user, chat.id, News.POSTED, reply_id=posted.reply.id)
    if not is_htmx(request):
        return _go_to(request, f"/chats/{chat.id}#message-{posted.reply.id}")
    await commit_early(session)
    return await _messages(request, chat, Page([posted.question, posted.reply], None))


@router.post("/chats/{chat_id}/messages/{message_id}/variants", dependencies=[RoomForAnother])
async def create_variant(
    request: Request,
    chat: CurrentChat,
    reply: CurrentReply,
    user: CurrentUser,
    session: Session,
    replies: CurrentReplies,
    model: Model = "",
) -> Response:
    variant = await posting.regenerate(session, chat, reply, model)
    after_commit(session, lambda: replies.start(variant))
    return await _thread(request, chat, user, session, reply_id=variant.id)


@router.post("/chats/{chat_id}/messages/{message_id}/continuation", dependencies=[RoomForAnother])
async def create_continuation(
    request: Request,
    chat: CurrentChat,
    reply: CurrentReply,
    user: CurrentUser,
    session: Session,
    replies: CurrentReplies,
) -> Response:
    await posting.continue_reply(session, chat, reply)
    after_commit(session, lambda: replies.start(reply))
    return await _thread(request, chat, user, session)


@router.post("/chats/{chat_id}/variants/{message_id}")
async def choose_variant(
    request: Request, chat: CurrentChat, message: CurrentMessage, user: CurrentUser, session: Session
) -> Response:
    await branching.read_branch_of(session, chat, message)
    return await _thread(request, chat, user, session)


@router.post("/chats/{chat_id}/messages/{message_id}/stop")
async def stop_reply(
    request: Request, chat: CurrentChat, reply: CurrentReply, session: Session, replies: CurrentReplies
) -> Response:
    if await posting.request_stop(session, reply):
        after_commit(session, lambda: replies.stop(reply.id))
    return Response(status_code=204) if is_htmx(request) else _go_to(request, f"/chats/{chat.id}")


@router.get("/chats/{chat_id}/title")
async def show_title_form(request: Request, chat: CurrentChat) -> HTMLResponse:
    return page(request, "chats/_title.html", chat=chat_view(chat), is_editing=True)


@router.post("/chats/{chat_id}/title")
async def rename_chat(
    request: Request,
    chat: CurrentChat,
    user: CurrentUser,
    session: Session,
    title: Annotated[str, Form()] = "",
) -> Response:
    posting.rename_chat(chat, title)
    _tell(request, session, user, chat.id, News.CHAT_CHANGED)
    if not is_htmx(request):
        return _go_to(request, f"/chats/{chat.id}")
    link = await link_to(session, chat, current_id=chat.id)
    return page(request, "chats/_title.html", chat=chat_view(chat), is_editing=False, link=link)


@router.get("/chats/{chat_id}/instructions")
async def show_instructions(
    request: Request, chat: CurrentChat, user: CurrentUser, session: Session
) -> HTMLResponse:
    return page(
        request,
        "chats/instructions.html",
        chat=chat_view(chat),
        own_prompt=chat.system_prompt,
        workspace_prompt=request.app.state.workspace.system_prompt,
        sidebar=await sidebar_of(session, user, timezone=timezone_of(request), current_id=chat.id),
    )


@router.post("/chats/{chat_id}/instructions")
async def change_instructions(
    request: Request,
    chat: CurrentChat,
    system_prompt: Annotated[str, Form()] = "",
    inherit: Annotated[bool, Form()] = False,
) -> Response:
    chat.system_prompt = None if inherit else posting.checked_prompt(system_prompt)
    return _go_to(request, f"/chats/{chat.id}")


@router.post("/chats/{chat_id}/seen")
async def mark_seen(chat: CurrentChat) -> Response:
    chat.is_unread = False
    return Response(status_code=204)


@router.post("/chats/{chat_id}/deletion")
async def delete_chat(
    request: Request, chat: CurrentChat, user: CurrentUser, session: Session, replies: CurrentReplies
) -> Response:
    for reply_id in await posting.delete_chat(session, chat):
        after_commit(session, partial(replies.stop, reply_id))
    _tell(request, session, user, chat.id, News.CHAT_CHANGED)
    return _go_to(request, f"/?deleted={chat.id}")


@router.post("/chats/{chat_id}/restoration")
async def restore_chat(request: Request, chat: DeletedChat, user: CurrentUser, session: Session) -> Response:
    await posting.restore_chat(session, chat)
    _tell(request, session, user, chat.id, News.CHAT_CHANGED)
    return _go_to(request, f"/chats/{chat.id}")


@router.get("/sidebar")
async def show_more_chats(
    request: Request, user: CurrentUser, session: Session, before: str, current: str = ""
) -> HTMLResponse:
    sidebar = await sidebar_of(
        session, user, timezone=timezone_of(request), current_id=current, before=Cursor.parse(before)
    )
    return page(request, "chats/_sidebar.html", sidebar=sidebar)


async def _thread(
    request: Request, chat: Chat, user: User, session: AsyncSession, *, reply_id: str = ""
) -> Response:
    """The branch being read, anew, here and in the person's other pages; `reply_id` began in it."""
    _tell(request, session, user, chat.id, News.BRANCH_CHANGED, reply_id=reply_id)
    if not is_htmx(request):
        return _go_to(request, f"/chats/{chat.id}")
    shown = await page_ending_at(session, chat, chat.tip_id)
    await commit_early(session)
    return await _messages(request, chat, shown)


async def _refused(
    request: Request, user: User, session: AsyncSession, chat: Chat | None, written: Written, error: Invalid
) -> HTMLResponse:
    """Why it was not sent; without scripts, beside what was typed, which would be lost otherwise."""
    if is_htmx(request):
        raise error
    shown = await page_ending_at(session, chat, chat.tip_id) if chat else Page([], None)
    return await _page(request, user, session, chat, shown, written, error)


async def _page(
    request: Request,
    user: User,
    session: AsyncSession,
    chat: Chat | None,
    shown: Page,
    written: Written | None = None,
    error: Invalid | None = None,
) -> HTMLResponse:
    current_id = chat.id if chat else ""
    currency = currency_for(request)
    return page(
        request,
        "chats/page.html",
        error=error,
        chat=chat_view(chat) if chat else None,
        messages=await present(session, chat, shown.messages) if chat else [],
        earlier_url=earlier_url(chat, shown) if chat else None,
        sidebar=await sidebar_of(session, user, timezone=timezone_of(request), current_id=current_id),
        picker=await picker_for(session, user, currency, chat, wanted=written.model if written else ""),
        cost=await cost_of(session, chat) if chat else None,
        composer=composer_for(
            request, user, chat, body=written.body if written else "", refusal=error.message if error else ""
        ),
        warnings=await warnings(session, user, chat.model, now(), currency) if chat else [],
        is_unread=bool(chat and chat.is_unread),
    )


async def _messages(request: Request, chat: Chat, shown: Page) -> HTMLResponse:
    async with database_of(request).reading() as session:
        messages = await present(session, chat, shown.messages)
    return page(request, "chats/_messages.html", messages=messages, earlier_url=earlier_url(chat, shown))


def _tell(
    request: Request, session: AsyncSession, user: User, chat_id: str, news: News, *, reply_id: str = ""
) -> None:
    page_id = request.headers.get("x-page", "")
    hub = hub_of(request)
    after_commit(session, lambda: tell(hub, user.id, chat_id, news, page=page_id, reply_id=reply_id))


def _go_to(request: Request, address: str) -> Response:
    if is_htmx(request):
        return Response(status_code=204, headers={"hx-redirect": address})
    return RedirectResponse(address, status_code=303)
