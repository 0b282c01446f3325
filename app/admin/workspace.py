"""/admin/settings: the workspace's name and time zone, and the system prompt that chats start with."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from app.accounts import people, workspace
from app.accounts.access import CurrentAct, CurrentHouse
from app.accounts.forms import errors_by_field
from app.core.errors import Invalid
from app.core.templating import page

router = APIRouter(prefix="/admin")


@router.get("/settings")
async def show_workspace(
    request: Request, house: CurrentHouse, saved: Annotated[str, Query(max_length=5)] = ""
) -> Response:
    stored = await workspace.load(house.database)
    return _show(request, stored.name, stored.system_prompt, stored.timezone, saved=bool(saved))


@router.post("/settings")
async def change_workspace(
    request: Request,
    house: CurrentHouse,
    act: CurrentAct,
    name: Annotated[str, Form()] = "",
    system_prompt: Annotated[str, Form()] = "",
    timezone: Annotated[str, Form()] = "UTC",
) -> Response:
    try:
        async with house.database.writing() as session:
            changed = await workspace.change(
                session, house.hub, act, name=name, system_prompt=system_prompt, timezone=timezone
            )
    except Invalid as error:
        return _show(request, name, system_prompt, timezone, error=error)
    # At once for whoever looks next in this process; the others hear of it from the hub.
    request.app.state.workspace = changed
    return RedirectResponse("/admin/settings?saved=yes", status_code=303)


def _show(
    request: Request,
    name: str,
    system_prompt: str,
    timezone: str,
    *,
    saved: bool = False,
    error: Invalid | None = None,
) -> HTMLResponse:
    return page(
        request,
        "admin/settings.html",
        error=error,
        saved=saved,
        errors=errors_by_field(error),
        name=name,
        system_prompt=system_prompt,
        timezone_of_money=timezone,
        timezone_options=[(zone, zone.replace("_", " ")) for zone in people.TIMEZONES],
    )
