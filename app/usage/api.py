"""Usage as JSON: one's own, a group's for its managers, everybody's for administrators."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from app.core.database import Session
from app.core.errors import NotFound
from app.core.settings import Settings
from app.usage import metrics
from app.usage.access import CurrentWish, GroupView, OwnView, WorkspaceView
from app.usage.dashboard import dashboard
from app.usage.schemas import Report

router = APIRouter(prefix="/api/usage", tags=["Usage"])
metrics_router = APIRouter(include_in_schema=False)


@router.get("")
async def read_own(session: Session, view: OwnView, wish: CurrentWish) -> Report:
    """What you have used.

    `period` is `7d`, `month` or `year`; or give `from` and `to` as days. The rest are filters: `model` is
    `connection/model`, `provider` a connection, `origin` one of `chat`, `title`, `api`.
    """
    return Report.of(await dashboard(session, view, wish))


@router.get("/workspace")
async def read_workspace(session: Session, view: WorkspaceView, wish: CurrentWish) -> Report:
    """What everybody has used; for administrators."""
    return Report.of(await dashboard(session, view, wish))


@router.get("/groups/{group_id}")
async def read_group(session: Session, view: GroupView, wish: CurrentWish) -> Report:
    """What a group pays for; for its managers and administrators."""
    return Report.of(await dashboard(session, view, wish))


@metrics_router.get("/metrics")
async def read_metrics(request: Request, session: Session) -> PlainTextResponse:
    """Figures for Prometheus, for whoever has the token; without it there is nothing here."""
    settings: Settings = request.app.state.settings
    if not metrics.is_allowed(settings.metrics_token, request.headers.get("authorization", "")):
        raise NotFound
    return PlainTextResponse(await metrics.figures(session), media_type=metrics.MEDIA_TYPE)
