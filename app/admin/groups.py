"""/admin/groups: who belongs together, who pays for whom, and who may look after it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from app.accounts import groups, memberships, people
from app.accounts.access import CurrentAct
from app.accounts.forms import Blanks, Text, errors_by_field
from app.accounts.memberships import Size
from app.accounts.models import Group, User
from app.accounts.parameters import CurrentGroup
from app.catalog import restrictions
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page

router = APIRouter(prefix="/admin/groups")
HOME = "/admin/groups"
DONE = {
    "deleted": "The group is deleted. Its members keep their accounts.",
    "renamed": "The group has another name now.",
    "added": "This person is in the group now.",
    "removed": "This person is in the group no more.",
    "main": "This group pays for this person from now on.",
    "manager": "This person manages the group now.",
    "member": "This person does not manage the group any more.",
}
Done = Annotated[str, Query(max_length=20)]


@router.get("")
async def show_groups(request: Request, session: Session, done: Done = "") -> HTMLResponse:
    return await _show_groups(request, session, done=DONE.get(done, ""))


@router.post("")
async def create_group(request: Request, session: Session, act: CurrentAct, name: Text = "") -> Response:
    try:
        group = await groups.create(session, name, act)
    except Invalid as error:
        return await _show_groups(request, session, error=error, name=name)
    return RedirectResponse(f"{HOME}/{group.id}", status_code=303)


@router.get("/{group_id}")
async def show_group(
    request: Request, group: CurrentGroup, session: Session, done: Done = ""
) -> HTMLResponse:
    return await _show_group(request, session, group, done=DONE.get(done, ""))


@router.post("/{group_id}")
async def rename_group(
    request: Request, group: CurrentGroup, session: Session, act: CurrentAct, name: Text = ""
) -> Response:
    try:
        await groups.rename(session, group, name, act)
    except Invalid as error:
        return await _show_group(request, session, group, error=error, values=Blanks(name=name))
    return _back(group, "renamed")


@router.post("/{group_id}/deletion")
async def delete_group(group: CurrentGroup, session: Session, act: CurrentAct) -> Response:
    await groups.delete(session, group, act)
    return RedirectResponse(f"{HOME}?done=deleted", status_code=303)


@router.post("/{group_id}/members")
async def add_member(
    request: Request,
    group: CurrentGroup,
    session: Session,
    act: CurrentAct,
    login: Text = "",
    manager: Text = "",
    main: Text = "",
) -> Response:
    try:
        user = await _called(session, login)
    except Invalid as error:
        return await _show_group(request, session, group, error=error, values=Blanks(login=login))
    await memberships.put(session, group, user, act, is_manager=manager == "on", is_main=main == "on")
    return _back(group, "added")


@router.post("/{group_id}/members/{user_id}/removal")
async def remove_member(group: CurrentGroup, session: Session, act: CurrentAct, user_id: str) -> Response:
    await memberships.take_out(session, group, user_id, act)
    return _back(group, "removed")


@router.post("/{group_id}/members/{user_id}/main")
async def choose_main(group: CurrentGroup, session: Session, act: CurrentAct, user_id: str) -> Response:
    await memberships.choose_main(session, group, user_id, act)
    return _back(group, "main")


@router.post("/{group_id}/members/{user_id}/manager")
async def change_manager(
    group: CurrentGroup, session: Session, act: CurrentAct, user_id: str, manager: Text = ""
) -> Response:
    is_manager = manager == "on"
    await memberships.change_manager(session, group, user_id, is_manager, act)
    return _back(group, "manager" if is_manager else "member")


async def _show_groups(
    request: Request, session: Session, *, done: str = "", error: Invalid | None = None, name: str = ""
) -> HTMLResponse:
    sizes = await memberships.sizes(session)
    found = await groups.all_groups(session)
    return page(
        request,
        "admin/groups.html",
        error=error,
        rows=[(group, sizes.get(group.id, Size())) for group in found],
        managers=await memberships.managers(session),
        done=done,
        errors=errors_by_field(error),
        name=name,
    )


async def _show_group(
    request: Request,
    session: Session,
    group: Group,
    *,
    done: str = "",
    error: Invalid | None = None,
    values: Blanks | None = None,
) -> HTMLResponse:
    return page(
        request,
        "admin/groups_edit.html",
        error=error,
        group=group,
        places=await memberships.members_of(session, group),
        only_here=await restrictions.only_for(session, group),
        done=done,
        errors=errors_by_field(error),
        values=values or Blanks(name=group.name),
    )


async def _called(session: Session, login: str) -> User:
    user = await people.by_login(session, login)
    if user is None:
        raise Invalid("Nobody has this username or e-mail address.", field="login")
    return user


def _back(group: Group, done: str) -> RedirectResponse:
    return RedirectResponse(f"{HOME}/{group.id}?done={done}", status_code=303)
