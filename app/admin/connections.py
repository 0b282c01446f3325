"""/admin/connections: where models come from.

Whatever asks a provider (test, refresh) holds no database session meanwhile, and no page waits for one:
a new connection is asked in the background, and its card looks again until the answer is there.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from app.accounts.access import CurrentAct
from app.admin.connection_settings import HOME, Typed, show_settings, to
from app.catalog import connections, overview
from app.catalog.connections import Notice, WantedConnection
from app.catalog.forms import CurrentConnecting, show_form
from app.catalog.models import Connection
from app.catalog.parameters import (
    CurrentConnection,
    CurrentDetection,
    CurrentDiscovery,
    CurrentVault,
)
from app.core.database import Session
from app.core.errors import Invalid
from app.core.requests import is_htmx
from app.core.templating import page
from app.gateway.calls import Gateway
from app.gateway.circuit import Rest

router = APIRouter(prefix="/admin/connections")
Text = Annotated[str, Form()]
FORM = "admin/connections_new.html"


@router.get("")
async def show_connections(
    request: Request, session: Session, detection: CurrentDetection, notice: str = ""
) -> HTMLResponse:
    detection.look_in_background()
    return page(
        request,
        "admin/connections.html",
        cards=await overview.cards(session),
        rests=_rests(request),
        found=await detection.unconnected(session),
        is_looking=not detection.is_fresh,
        notice=_sentence(notice),
    )


@router.get("/new")
async def choose_connection(request: Request, detection: CurrentDetection, kind: str = "") -> HTMLResponse:
    return show_form(request, FORM, detection, WantedConnection(kind)) if kind else _show_kinds(request)


@router.get("/detected")
async def show_detected(
    request: Request, discovery: CurrentDiscovery, detection: CurrentDetection
) -> HTMLResponse:
    """The fragment that a page asks for once it stands: looking may take a few seconds."""
    await detection.look()
    async with discovery.database.reading() as session:
        found = await detection.unconnected(session)
    return page(request, "admin/_connections_found.html", found=found, is_looking=False)


@router.post("")
async def create_connection(
    request: Request, detection: CurrentDetection, form: CurrentConnecting
) -> Response:
    try:
        notices = await form.connect()
    except Invalid as error:
        return show_form(request, FORM, detection, form.wanted, error)
    return to(HOME, notices)


@router.get("/{connection_id}")
async def edit_connection(
    request: Request, connection: CurrentConnection, session: Session, notice: str = ""
) -> HTMLResponse:
    return await show_settings(request, session, connection, notice=_sentence(notice))


@router.get("/{connection_id}/card")
async def show_card(request: Request, connection: CurrentConnection, session: Session) -> HTMLResponse:
    return await _show_card(request, session, connection)


@router.post("/{connection_id}")
async def update_connection(
    request: Request,
    connection: CurrentConnection,
    session: Session,
    vault: CurrentVault,
    discovery: CurrentDiscovery,
    act: CurrentAct,
    label: Text = "",
    base_url: Text = "",
    key: Text = "",
    local: Text = "",
) -> Response:
    wanted, is_local = WantedConnection(connection.kind, label, base_url, key), local == "on"
    try:
        notices = await connections.edit(session, vault, connection, wanted, is_local=is_local, act=act)
    except Invalid as error:
        return await show_settings(
            request, session, connection, Typed(label, base_url, is_local), error=error
        )
    discovery.refresh_after_commit(session, connection.id)
    return to(f"{HOME}/{connection.id}" if Notice.KEY_DELETED in notices else HOME, notices)


@router.post("/{connection_id}/key/deletion")
async def delete_key(
    connection: CurrentConnection, session: Session, discovery: CurrentDiscovery, act: CurrentAct
) -> Response:
    await connections.delete_key(session, connection, act)
    discovery.refresh_after_commit(session, connection.id)
    return to(f"{HOME}/{connection.id}")


@router.post("/{connection_id}/activity")
async def switch_connection(
    request: Request, connection: CurrentConnection, session: Session, act: CurrentAct, active: Text = ""
) -> Response:
    connections.switch(session, connection, active == "on", act)
    return await _show_card(request, session, connection) if is_htmx(request) else to(HOME)


@router.post("/{connection_id}/tests")
async def test_connection(request: Request, connection_id: str, discovery: CurrentDiscovery) -> Response:
    await discovery.test(connection_id)
    return await _card_or_home(request, discovery, connection_id)


@router.post("/{connection_id}/refreshes")
async def refresh_connection(request: Request, connection_id: str, discovery: CurrentDiscovery) -> Response:
    await discovery.refresh(connection_id)
    return await _card_or_home(request, discovery, connection_id)


@router.get("/{connection_id}/removal")
async def confirm_removal(request: Request, connection: CurrentConnection, session: Session) -> HTMLResponse:
    card = await overview.card(session, connection)
    return page(request, "admin/connections_removal.html", card=card)


@router.post("/{connection_id}/removal")
async def remove_connection(connection: CurrentConnection, session: Session, act: CurrentAct) -> Response:
    await connections.remove(session, connection, act)
    return to(HOME)


def _show_kinds(request: Request) -> HTMLResponse:
    return page(request, "admin/connections_kinds.html", kinds=overview.kinds())


async def _show_card(request: Request, session: Session, connection: Connection) -> HTMLResponse:
    card = await overview.card(session, connection)
    return page(request, "admin/_connections_card.html", card=card, rests=_rests(request))


def _rests(request: Request) -> dict[str, Rest]:
    """The connections that rest, as this process sees it."""
    gateway: Gateway = request.app.state.gateway
    return gateway.circuits.rests()


async def _card_or_home(request: Request, discovery: CurrentDiscovery, connection_id: str) -> Response:
    if not is_htmx(request):
        return to(HOME)
    async with discovery.database.reading() as session:
        # Not there: removed while it was asked.
        connection = await connections.by_id(session, connection_id)
        return await _show_card(request, session, connection)


def _sentence(notice: str) -> str:
    """Only sentences of ours: what stands in an address may have been written by anybody."""
    return connections.SENTENCES[Notice(notice)] if notice in list(Notice) else ""
