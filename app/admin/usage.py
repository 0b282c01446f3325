"""/admin/usage: what the whole workspace used, by whom and for what."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from app.core.database import Session
from app.core.templating import page
from app.usage import conversations
from app.usage.access import CurrentPlan, CurrentWish, WorkspaceView
from app.usage.presenting import shown
from app.usage.streams import Shape, download

router = APIRouter(prefix="/admin/usage")


@router.get("")
async def show_usage(
    request: Request, session: Session, view: WorkspaceView, wish: CurrentWish, plan: CurrentPlan
) -> HTMLResponse:
    context = await shown(session, request.app.state.workspace, view, wish, plan)
    return page(request, "admin/usage.html", **context)


@router.get("/conversations/{chat_id}")
async def show_conversation(
    request: Request, session: Session, view: WorkspaceView, chat_id: str
) -> HTMLResponse:
    """Without titles: what somebody talks about is not their administrator's to read."""
    context = await conversations.shown(session, request.app.state.workspace, view, chat_id)
    return page(request, "admin/usage_conversation.html", **context)


@router.get("/export")
async def export_usage(
    request: Request, session: Session, view: WorkspaceView, wish: CurrentWish, shape: Shape
) -> Response:
    return await download(request, session, view, wish, shape)
