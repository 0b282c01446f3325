"""Who may use a connection or a model: everyone, or the members of chosen groups."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from app.accounts import groups as all_of
from app.accounts.access import CurrentAct
from app.catalog import restrictions
from app.catalog.models import Connection
from app.catalog.parameters import CurrentConnection, CurrentModel
from app.catalog.restrictions import Restrictable
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page

router = APIRouter(prefix="/admin")

Choice = Annotated[Literal["everyone", "groups"], Form()]
Groups = Annotated[Sequence[str], Form()]


@router.get("/connections/{connection_id}/audience")
async def show_audience_of_connection(
    request: Request, connection: CurrentConnection, session: Session
) -> HTMLResponse:
    return await _show(request, session, connection)


@router.post("/connections/{connection_id}/audience")
async def change_audience_of_connection(
    request: Request,
    connection: CurrentConnection,
    session: Session,
    act: CurrentAct,
    audience: Choice,
    groups: Groups = (),
) -> Response:
    return await _change(request, session, connection, act, audience, groups)


@router.get("/models/{model_id}/audience")
async def show_audience_of_model(request: Request, model: CurrentModel, session: Session) -> HTMLResponse:
    return await _show(request, session, model)


@router.post("/models/{model_id}/audience")
async def change_audience_of_model(
    request: Request,
    model: CurrentModel,
    session: Session,
    act: CurrentAct,
    audience: Choice,
    groups: Groups = (),
) -> Response:
    return await _change(request, session, model, act, audience, groups)


async def _change(
    request: Request,
    session: Session,
    thing: Restrictable,
    act: CurrentAct,
    audience: str,
    group_ids: Sequence[str],
) -> Response:
    try:
        if audience == "everyone":
            await restrictions.open_to_everyone(session, thing, act)
        else:
            await restrictions.restrict(session, thing, group_ids, act)
    except Invalid as error:
        return await _show(request, session, thing, error)
    return RedirectResponse(_home_of(thing), status_code=303)


async def _show(
    request: Request, session: Session, thing: Restrictable, error: Invalid | None = None
) -> HTMLResponse:
    if isinstance(thing, Connection):
        connection, label = thing, thing.label
    else:
        connection, label = await session.get_one(Connection, thing.connection_id), thing.display_name
    return page(
        request,
        "admin/audience.html",
        label=label,
        connection=connection,
        of_connection=await restrictions.audience_of(session, connection),
        is_connection=thing is connection,
        audience=await restrictions.audience_of(session, thing),
        groups=await all_of.all_groups(session),
        home=_home_of(thing),
        error=error,
    )


def _home_of(thing: Restrictable) -> str:
    """The page from which one comes, at the right place."""
    if isinstance(thing, Connection):
        return f"/admin/connections#connection-{thing.id}"
    return f"/admin/models#models-{thing.connection_id}"
