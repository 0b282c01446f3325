"""/admin/users: who has an account, and what administrators do to one."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from app.accounts import administration, invitations, memberships, sessions
from app.accounts.access import CurrentAct, CurrentHouse
from app.accounts.administration import Search
from app.accounts.house import House
from app.accounts.models import UserRole
from app.core.database import Session
from app.core.errors import Conflict
from app.core.templating import page

router = APIRouter(prefix="/admin")

PAGE_SIZE = 50
LAST_PAGE = 10_000
DONE = {
    "disabled": "The account is disabled. Its sessions were ended.",
    "enabled": "The account is enabled again.",
    "administrator": "This person is an administrator now.",
    "member": "This person is a member now.",
    "signed_out": "All sessions of this person were ended.",
}
Term = Annotated[str, Query(max_length=100)]


@router.get("/users")
async def show_users(
    request: Request,
    house: CurrentHouse,
    q: Term = "",
    role: Term = "",
    state: Term = "",
    number: Annotated[int, Query(alias="page", ge=1, le=LAST_PAGE)] = 1,
    done: Term = "",
) -> Response:
    search = Search(term=q.strip(), role=role, state=state)
    return await _page(request, house, search, number=number, done=DONE.get(done, ""))


@router.get("/users/{user_id}/{act}")
async def open_list_again(user_id: str, act: str) -> Response:
    """The answer to a form left the form's address in the browser: opening it leads back to the list."""
    return RedirectResponse("/admin/users", status_code=303)


@router.post("/users/{user_id}/disable")
async def disable(request: Request, house: CurrentHouse, act: CurrentAct, user_id: str) -> Response:
    try:
        async with house.database.writing() as session:
            await administration.disable(session, house, user_id, act)
    except Conflict as error:
        return await _page(request, house, Search(), error=error)
    return _back("disabled")


@router.post("/users/{user_id}/enable")
async def enable(session: Session, act: CurrentAct, user_id: str) -> Response:
    await administration.enable(session, user_id, act)
    return _back("enabled")


@router.post("/users/{user_id}/role")
async def change_role(
    request: Request,
    house: CurrentHouse,
    act: CurrentAct,
    user_id: str,
    role: Annotated[UserRole, Form()],
) -> Response:
    try:
        async with house.database.writing() as session:
            await administration.change_role(session, user_id, role, act)
    except Conflict as error:
        return await _page(request, house, Search(), error=error)
    return _back(role)


@router.post("/users/{user_id}/log-out")
async def force_log_out(session: Session, house: CurrentHouse, act: CurrentAct, user_id: str) -> Response:
    await administration.force_log_out(session, house, user_id, act)
    return _back("signed_out")


@router.post("/users/{user_id}/password")
async def reset_password(request: Request, house: CurrentHouse, act: CurrentAct, user_id: str) -> Response:
    """The new password is in this answer and nowhere else."""
    user, password = await administration.reset_password(house, user_id, act)
    return await _page(request, house, Search(), new_password=(user.name, password))


async def _page(
    request: Request,
    house: House,
    search: Search,
    *,
    number: int = 1,
    error: Conflict | None = None,
    done: str = "",
    new_password: tuple[str, str] | None = None,
) -> Response:
    async with house.database.reading() as session:
        found = await administration.list_people(
            session, search, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE
        )
        shown = found[:PAGE_SIZE]
        ids = [user.id for user in shown]
        context: dict[str, Any] = {
            "people": shown,
            "last_seen": await sessions.last_seen(session, ids),
            "places": await memberships.places_of(session, ids),
            "count": await administration.count_people(session),
            "waiting": len(await invitations.all_open(session)),
        }
    return page(
        request,
        "admin/users.html",
        search=search,
        number=number,
        has_more=len(found) > PAGE_SIZE,
        error=error,
        done=done,
        new_password=new_password,
        **context,
    )


def _back(done: str) -> RedirectResponse:
    return RedirectResponse(f"/admin/users?done={done}", status_code=303)
