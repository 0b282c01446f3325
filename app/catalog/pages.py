"""/setup/provider and /setup/models: from the first account to the first answer."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from app.accounts.access import CurrentAct, CurrentAdministrator
from app.catalog import connections, overview
from app.catalog.connections import WantedConnection
from app.catalog.forms import CurrentConnecting, show_form
from app.catalog.parameters import CurrentConnection, CurrentDetection, CurrentDiscovery
from app.catalog.selection import tick
from app.core.database import Session
from app.core.errors import Invalid
from app.core.requests import is_htmx
from app.core.templating import page

router = APIRouter(prefix="/setup", include_in_schema=False)
FORM = "catalog/setup_connection.html"


@router.get("/provider")
async def choose_provider(
    request: Request,
    session: Session,
    detection: CurrentDetection,
    _: CurrentAdministrator,
    kind: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    if kind:
        return show_form(request, FORM, detection, WantedConnection(kind))
    detection.look_in_background()
    return page(
        request,
        "catalog/setup_provider.html",
        kinds=overview.kinds(),
        cards=await overview.cards(session),
        found=await detection.unconnected(session),
        is_looking=not detection.is_fresh,
    )


@router.get("/provider/detected")
async def show_detected(
    request: Request, discovery: CurrentDiscovery, detection: CurrentDetection, _: CurrentAdministrator
) -> HTMLResponse:
    """The fragment that the page asks for once it stands: looking may take a few seconds."""
    await detection.look()
    async with discovery.database.reading() as session:
        found = await detection.unconnected(session)
    return page(request, "catalog/_setup_found.html", found=found, is_looking=False)


@router.post("/provider")
async def connect_provider(
    request: Request, detection: CurrentDetection, form: CurrentConnecting
) -> Response:
    try:
        await form.connect()
    except Invalid as error:
        return show_form(request, FORM, detection, form.wanted, error)
    return RedirectResponse("/setup/models", status_code=303)


@router.post("/provider/{connection_id}/removal")
async def take_back_provider(connection: CurrentConnection, session: Session, act: CurrentAct) -> Response:
    """Remove a connection that turned out not to work."""
    await connections.remove(session, connection, act)
    return RedirectResponse("/setup/models", status_code=303)


@router.get("/models")
async def choose_models(request: Request, session: Session, _: CurrentAdministrator) -> HTMLResponse:
    """What was just found, with the sensible models ticked; it looks again until every list is there."""
    groups = [group for group in await overview.groups(session) if group.card.connection.is_active]
    template = "catalog/_setup_models.html" if is_htmx(request) else "catalog/setup_models.html"
    return page(request, template, groups=groups, is_waiting=any(group.card.is_waiting for group in groups))


@router.post("/models")
async def open_models(
    session: Session,
    act: CurrentAct,
    shown: Annotated[Sequence[str], Form()] = (),
    ticked: Annotated[Sequence[str], Form()] = (),
) -> Response:
    """Of the models `shown` (`connection/model`), open those in `ticked` to people, and close the others."""
    for group in await overview.groups(session):
        prefix = f"{group.card.connection.name}/"
        names = {name.removeprefix(prefix) for name in shown if name.startswith(prefix)}
        wanted = {name.removeprefix(prefix) for name in ticked if name.startswith(prefix)}
        await tick(session, group.card.connection, wanted, True, act)
        await tick(session, group.card.connection, names - wanted, False, act)
    return RedirectResponse("/", status_code=303)
