"""/usage: what one has used oneself; /usage/groups/…: what a group pays for, for those who manage it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from app.core.database import Session
from app.core.templating import page
from app.usage import conversations, statements
from app.usage.access import CurrentPlan, CurrentWish, GroupView, OwnView, Titles
from app.usage.presenting import shown
from app.usage.streams import Shape, download

router = APIRouter(prefix="/usage", include_in_schema=False)


@router.get("")
async def show_own(
    request: Request, session: Session, view: OwnView, wish: CurrentWish, plan: CurrentPlan, titles: Titles
) -> HTMLResponse:
    context = await shown(session, request.app.state.workspace, view, wish, plan, titles)
    return page(request, "usage/page.html", **context)


@router.get("/export")
async def export_own(
    request: Request, session: Session, view: OwnView, wish: CurrentWish, shape: Shape
) -> Response:
    return await download(request, session, view, wish, shape)


@router.get("/conversations/{chat_id}")
async def show_own_conversation(
    request: Request, session: Session, view: OwnView, titles: Titles, chat_id: str
) -> HTMLResponse:
    context = await conversations.shown(session, request.app.state.workspace, view, chat_id, titles)
    return page(request, "usage/conversation.html", **context)


@router.get("/groups/{group_id}")
async def show_group(
    request: Request, session: Session, view: GroupView, wish: CurrentWish, plan: CurrentPlan
) -> HTMLResponse:
    context = await shown(session, request.app.state.workspace, view, wish, plan)
    return page(request, "usage/page.html", **context)


@router.get("/groups/{group_id}/export")
async def export_group(
    request: Request, session: Session, view: GroupView, wish: CurrentWish, shape: Shape
) -> Response:
    return await download(request, session, view, wish, shape)


@router.get("/groups/{group_id}/conversations/{chat_id}")
async def show_conversation_of_group(
    request: Request, session: Session, view: GroupView, chat_id: str
) -> HTMLResponse:
    context = await conversations.shown(session, request.app.state.workspace, view, chat_id)
    return page(request, "usage/conversation.html", **context)


@router.get("/groups/{group_id}/statement")
async def show_statement(
    request: Request, session: Session, view: GroupView, month: Annotated[str, Query(max_length=7)] = ""
) -> HTMLResponse:
    """A month of a group's, to print."""
    return page(
        request,
        "usage/statement.html",
        **await statements.shown(session, request.app.state.workspace, view, month),
    )
