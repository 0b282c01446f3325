"""/settings: what people change about their own account and sessions."""

from collections.abc import Awaitable
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from app.accounts import audit, browsers, cookies, own_account, people, sessions
from app.accounts.access import CurrentHouse, CurrentIdentity, CurrentUser, CurrentVisit
from app.accounts.forms import Blanks, Text, errors_by_field
from app.accounts.house import House
from app.accounts.identity import Identity
from app.core.database import Session
from app.core.errors import NotFound, ParleyError
from app.core.requests import local_path
from app.core.templating import page

router = APIRouter(prefix="/settings")

ONE_YEAR = 365 * 24 * 60 * 60
DONE = {
    "profile": "Your profile is saved.",
    "email": "Your e-mail address is changed.",
    "password": "Your password is changed. Your other sessions were ended.",
    "sessions": "The session is ended.",
}


@router.get("")
async def show_settings(
    request: Request,
    house: CurrentHouse,
    identity: CurrentIdentity,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return await _page(request, house, identity, done=DONE.get(done, ""))


@router.get("/{section}")
async def open_section(user: CurrentUser, section: Literal["profile", "email", "password"]) -> Response:
    """A form that came back with an error left its own address in the browser: reloading it leads here."""
    return RedirectResponse(f"/settings#{section}", status_code=303)


@router.post("/profile")
async def change_profile(
    request: Request,
    house: CurrentHouse,
    identity: CurrentIdentity,
    visit: CurrentVisit,
    name: Text = "",
    timezone: Text = "",
) -> Response:
    change = own_account.change_profile(house, identity, visit, name=name, timezone=timezone)
    return await _after(change, request, house, identity, "profile")


@router.post("/email")
async def change_email(
    request: Request,
    house: CurrentHouse,
    identity: CurrentIdentity,
    visit: CurrentVisit,
    email: Text = "",
    current_password: Text = "",
) -> Response:
    change = own_account.change_email(house, identity, visit, email=email, password=current_password)
    return await _after(change, request, house, identity, "email")


@router.post("/password")
async def change_password(
    request: Request,
    house: CurrentHouse,
    identity: CurrentIdentity,
    visit: CurrentVisit,
    current_password: Text = "",
    new_password: Text = "",
) -> Response:
    change = own_account.change_password(house, identity, visit, current=current_password, new=new_password)
    return await _after(change, request, house, identity, "password")


@router.post("/theme")
async def choose_theme(
    request: Request, theme: Annotated[Literal["light", "dark", "system"], Form()] = "system"
) -> Response:
    """Needs no account: the choice is the browser's own."""
    response = RedirectResponse(_where_one_was(request), status_code=303)
    secure = cookies.is_secure(request)
    response.set_cookie("theme", theme, max_age=ONE_YEAR, samesite="lax", secure=secure)
    return response


@router.post("/sessions/others/end")
async def end_other_sessions(
    house: CurrentHouse, identity: CurrentIdentity, visit: CurrentVisit, session: Session
) -> Response:
    count = await sessions.end_all(session, house.hub, identity.user.id, except_id=identity.session_id)
    if count:
        detail = f"{count} other sessions"
        audit.record(session, audit.Act(identity.user, visit.address), "session.ended", detail=detail)
    return _back("sessions")


@router.post("/sessions/{session_id}/end")
async def end_session(
    house: CurrentHouse, user: CurrentUser, visit: CurrentVisit, session: Session, session_id: str
) -> Response:
    if not await sessions.end(session, house.hub, user.id, session_id):
        raise NotFound("This session is over already.")
    audit.record(session, audit.Act(user, visit.address), "session.ended")
    return _back("sessions")


async def _after(
    change: Awaitable[None], request: Request, house: House, identity: Identity, section: str
) -> Response:
    """Back to the section whose form was sent: that it is changed, or what does not fit."""
    try:
        await change
    except ParleyError as error:
        return await _page(request, house, identity, about=section, error=error)
    return _back(section)


async def _page(
    request: Request,
    house: House,
    identity: Identity,
    *,
    about: str = "",
    error: ParleyError | None = None,
    done: str = "",
) -> Response:
    """The whole page; `about` names the section in which something went wrong."""
    user = identity.user
    async with house.database.reading() as session:
        live = await sessions.live_sessions_of(session, user.id)
    return page(
        request,
        "accounts/settings.html",
        error=error,
        failed=about,
        errors=errors_by_field(error),
        no_errors=Blanks(),
        done=done,
        user=user,
        timezones=[(zone, zone.replace("_", " ")) for zone in people.TIMEZONES],
        sessions=[(sign_in, browsers.name_of(sign_in.user_agent)) for sign_in in live],
        current_session_id=identity.session_id,
    )


def _back(section: str) -> RedirectResponse:
    return RedirectResponse(f"/settings?done={section}#{section}", status_code=303)


def _where_one_was(request: Request) -> str:
    referer = request.headers.get("referer", "")
    return local_path(referer.removeprefix(str(request.base_url).rstrip("/"))) or "/"
