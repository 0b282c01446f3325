"""/admin/settings: the workspace's name, and the system prompt that chats start with."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from app.accounts import workspace
from app.accounts.access import CurrentAct, CurrentHouse
from app.accounts.forms import errors_by_field
from app.core.errors import Invalid
from app.core.templating import page

router = APIRouter()


@router.get("/settings")
async def show_workspace(
    request: Request, house: CurrentHouse, saved: Annotated[str, Query(max_length=5)] = ""
) -> Response:
    stored = await workspace.load(house.database)
    return page(
        request,
        "admin/settings.html",
        saved=bool(saved),
        errors=errors_by_field(None),
        name=stored.name,
        system_prompt=stored.system_prompt,
    )


@router.post("/settings")
async def change_workspace(
    request: Request,
    house: CurrentHouse,
    act: CurrentAct,
    name: Annotated[str, Form()] = "",
    system_prompt: Annotated[str, Form()] = "",
) -> Response:
    try:
        async with house.database.writing() as session:
            changed = await workspace.change(session, house.hub, act, name=name, system_prompt=system_prompt)
    except Invalid as error:
        context = {"saved": False, "name": name, "system_prompt": system_prompt}
        errors = errors_by_field(error)
        return page(request, "admin/settings.html", status=error.status, errors=errors, **context)
    # At once for whoever looks next in this process; the others hear of it from the hub.
    request.app.state.workspace = changed
    return RedirectResponse("/admin/settings?saved=yes", status_code=303)
