"""Usage as JSON: one's own, a group's for its managers, everybody's for administrators."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from app.accounts.access import Scope, needs
from app.core.database import Session
from app.core.errors import NotFound
from app.core.settings import Settings
from app.usage import conversations, metrics
from app.usage.access import CurrentWish, GroupView, OwnView, View, WorkspaceView
from app.usage.dashboard import dashboard
from app.usage.schemas import ConversationReport, Report

router = APIRouter(prefix="/api/usage", tags=["Usage"], dependencies=[needs(Scope.USAGE)])
metrics_router = APIRouter(include_in_schema=False)


@router.get("")
async def read_own(session: Session, view: OwnView, wish: CurrentWish) -> Report:
    """What you have used.

    `period` is `7d`, `month` or `year`; or give `from` and `to` as days. The rest are filters: `model` is
    `connection/model`, `provider` a connection, `origin` `chat` or `api`.
    """
    return Report.of(await dashboard(session, view, wish))


@router.get("/conversations/{chat_id}")
async def read_own_conversation(session: Session, view: OwnView, chat_id: str) -> ConversationReport:
    """What one of your conversations used since its start, by model."""
    return await _conversation(session, view, chat_id)


@router.get("/workspace")
async def read_workspace(session: Session, view: WorkspaceView, wish: CurrentWish) -> Report:
    """What everybody has used; for administrators."""
    return Report.of(await dashboard(session, view, wish))


@router.get("/groups/{group_id}")
async def read_group(session: Session, view: GroupView, wish: CurrentWish) -> Report:
    """What a group pays for; for its managers and administrators."""
    return Report.of(await dashboard(session, view, wish))


@router.get("/workspace/conversations/{chat_id}")
async def read_conversation(session: Session, view: WorkspaceView, chat_id: str) -> ConversationReport:
    """The same for a conversation of anybody's, without its title; for administrators."""
    return await _conversation(session, view, chat_id)


@router.get("/groups/{group_id}/conversations/{chat_id}")
async def read_conversation_of_group(session: Session, view: GroupView, chat_id: str) -> ConversationReport:
    """The same for a conversation that the group pays for; for its managers and administrators."""
    return await _conversation(session, view, chat_id)


@metrics_router.get("/metrics")
async def read_metrics(request: Request, session: Session) -> PlainTextResponse:
    """Figures for Prometheus, for whoever has the token; without it there is nothing here."""
    settings: Settings = request.app.state.settings
    if not metrics.is_allowed(settings.metrics_token, request.headers.get("authorization", "")):
        raise NotFound
    return PlainTextResponse(await metrics.figures(session), media_type=metrics.MEDIA_TYPE)


async def _conversation(session: Session, view: View, chat_id: str) -> ConversationReport:
    use = await conversations.use_of(session, view, chat_id)
    if use is None:
        raise NotFound
    return ConversationReport.of_use(use)
