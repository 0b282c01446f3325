"""/admin/models: which of the models that were found people may use."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import CurrentAct
from app.catalog import overview
from app.catalog.local_overview import local_servers
from app.catalog.models import Connection
from app.catalog.parameters import CurrentConnection, CurrentDiscovery, CurrentLocalServers
from app.catalog.selection import tick
from app.core.clock import now
from app.core.database import Session
from app.core.errors import NotFound
from app.core.requests import is_htmx
from app.core.templating import page
from app.usage import price_sheet
from app.usage.price_sheet import Tag

router = APIRouter(prefix="/admin/models")
HOME = "/admin/models"
Search = Annotated[str, Query(max_length=200)]


@router.get("")
async def show_models(
    request: Request, session: Session, servers: CurrentLocalServers, q: Search = "", show: Search = ""
) -> HTMLResponse:
    servers.look_in_background()
    template = "admin/_models_groups.html" if is_htmx(request) else "admin/models.html"
    only_ticked = show == "ticked"
    return page(
        request,
        template,
        groups=await overview.groups(session, search=q.strip(), only_ticked=only_ticked),
        cards=await overview.cards(session),
        tags=await _tags(session),
        servers=await local_servers(session, servers),
        q=q,
        only_ticked=only_ticked,
    )


@router.post("/refreshes")
async def refresh_all(discovery: CurrentDiscovery) -> Response:
    await discovery.refresh_all()
    return RedirectResponse(HOME, status_code=303)


@router.post("/{connection_id}/refreshes")
async def refresh_models(request: Request, connection_id: str, discovery: CurrentDiscovery) -> Response:
    await discovery.refresh(connection_id)
    if not is_htmx(request):
        return RedirectResponse(HOME, status_code=303)
    async with discovery.database.reading() as session:
        return await _show_group(request, session, connection_id)


@router.post("/{connection_id}/selection")
async def select_models(
    request: Request,
    connection: CurrentConnection,
    session: Session,
    act: CurrentAct,
    shown: Annotated[Sequence[str], Form()] = (),
    ticked: Annotated[Sequence[str], Form()] = (),
    everything: Annotated[str, Form()] = "",
) -> Response:
    """Of the models `shown`, those in `ticked` are open to people from now on and the others are not.

    `everything` (`tick` or `untick`) goes before single ticks.
    """
    wanted = {"tick": set(shown), "untick": set[str]()}.get(everything, set(ticked))
    await tick(session, connection, wanted & set(shown), True, act)
    await tick(session, connection, set(shown) - wanted, False, act)
    await session.flush()
    if not is_htmx(request):
        return RedirectResponse(HOME, status_code=303)
    return await _show_count(request, session, connection)


async def _show_group(request: Request, session: Session, connection_id: str) -> HTMLResponse:
    found = await overview.groups(session, connection_id=connection_id)
    if not found:  # removed while it was asked
        raise NotFound
    return page(request, "admin/_models_group.html", group=found[0], tags=await _tags(session))


async def _tags(session: AsyncSession) -> dict[str, Tag]:
    """What each model costs, by its id."""
    return {tag.model.id: tag for tag in await price_sheet.sheet(session, now())}


async def _show_count(request: Request, session: Session, connection: Connection) -> HTMLResponse:
    card = await overview.card(session, connection)
    return page(request, "admin/_models_count.html", card=card)
