"""/admin/models, the part about local servers: what they hold in memory, and telling them what to hold."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from app.accounts.access import CurrentAct
from app.catalog.local_overview import local_servers
from app.catalog.local_servers import LocalServers
from app.catalog.parameters import CurrentConnection, CurrentLoading, CurrentLocalServers
from app.catalog.selection import by_name
from app.core.database import Session, commit_early
from app.core.requests import is_htmx
from app.core.templating import page

router = APIRouter(prefix="/admin/models")
HOME = "/admin/models#local-models"
Text = Annotated[str, Form(max_length=300)]


@router.get("/local")
async def show_local_models(request: Request, session: Session, servers: CurrentLocalServers) -> HTMLResponse:
    """The fragment that looks again while something is being loaded."""
    servers.look_in_background()
    return await _show(request, session, servers)


@router.post("/{connection_id}/loads")
async def load_model(
    request: Request,
    connection: CurrentConnection,
    session: Session,
    loading: CurrentLoading,
    act: CurrentAct,
    model: Text = "",
    exclusive: Text = "",
) -> Response:
    wanted = await by_name(session, connection, model)
    await loading.load(session, connection, wanted, act, exclusive=exclusive == "on")
    return await _answer(request, session, loading.servers)


@router.post("/{connection_id}/unloads")
async def unload_models(
    request: Request,
    connection: CurrentConnection,
    session: Session,
    loading: CurrentLoading,
    act: CurrentAct,
    model: Text = "",
) -> Response:
    """Without a model: all that the server holds."""
    await loading.unload(session, connection, model or None, act)
    return await _answer(request, session, loading.servers)


async def _answer(request: Request, session: Session, servers: LocalServers) -> Response:
    if not is_htmx(request):
        return RedirectResponse(HOME, status_code=303)
    await commit_early(session)
    return await _show(request, session, servers)


async def _show(request: Request, session: Session, servers: LocalServers) -> HTMLResponse:
    return page(request, "admin/_models_local.html", servers=await local_servers(session, servers))
