"""The doors before the house: first run, log in and out, register, accept an invitation."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from app.accounts import cookies, first_run, invitations, registering, settings_pages, signing_in
from app.accounts.access import CurrentHouse, CurrentVisit, MaybeIdentity, MaybeUser
from app.accounts.forms import Blanks, NewAccount, Text, errors_by_field
from app.accounts.house import House
from app.accounts.signing_in import SignedIn
from app.core.database import Session
from app.core.errors import Conflict, Forbidden, NotFound, ParleyError
from app.core.requests import local_path
from app.core.templating import page

router = APIRouter(include_in_schema=False)
router.include_router(settings_pages.router)

AFTER_SETUP = "/setup/provider"
Next = Annotated[str, Query(max_length=2_000)]


@router.get("/setup")
async def show_setup(request: Request, house: CurrentHouse, visit: CurrentVisit) -> Response:
    if not await first_run.is_pending(house):
        return _see("/")
    return _form_page(
        request,
        "accounts/setup.html",
        needs_code=first_run.needs_code(house.settings, visit),
        values=Blanks(),
    )


@router.post("/setup")
async def set_up(request: Request, house: CurrentHouse, visit: CurrentVisit, form: NewAccount) -> Response:
    if not await first_run.is_pending(house):
        raise Conflict(first_run.DONE)
    needs_code = first_run.needs_code(house.settings, visit)
    try:
        if needs_code:
            await first_run.check_code(house, form.code, visit)
        signed_in = await registering.set_up(house, form.application(), visit)
    except ParleyError as error:
        return _form_page(request, "accounts/setup.html", error, needs_code=needs_code, values=form.values())
    return _let_in(request, signed_in, AFTER_SETUP)


@router.get("/login")
async def show_login(request: Request, house: CurrentHouse, user: MaybeUser, next: Next = "/") -> Response:  # noqa: A002
    if user is not None:
        return _see(local_path(next) or "/")
    if await first_run.is_pending(house):
        return _see("/setup")
    return _form_page(request, "accounts/login.html", next=local_path(next) or "/", login="")


@router.post("/login")
async def log_in(
    request: Request,
    house: CurrentHouse,
    visit: CurrentVisit,
    login: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002
) -> Response:
    try:
        signed_in = await signing_in.sign_in(house, login, password, visit)
    except ParleyError as error:
        return _form_page(request, "accounts/login.html", error, next=local_path(next) or "/", login=login)
    return _let_in(request, signed_in, local_path(next) or "/")


@router.post("/logout")
async def log_out(
    request: Request, house: CurrentHouse, visit: CurrentVisit, identity: MaybeIdentity
) -> Response:
    if identity is not None:
        await signing_in.sign_out(house, identity, visit)
    response = _see("/login")
    cookies.forget(request, response)
    return response


@router.get("/register")
async def show_registration(request: Request, house: CurrentHouse) -> Response:
    _refuse_unless_open(house)
    return _form_page(request, "accounts/register.html", values=Blanks())


@router.post("/register")
async def register(request: Request, house: CurrentHouse, visit: CurrentVisit, form: NewAccount) -> Response:
    _refuse_unless_open(house)
    if await first_run.is_pending(house):
        return _see("/setup")
    try:
        signed_in = await registering.register(house, form.application(), visit)
    except ParleyError as error:
        return _form_page(request, "accounts/register.html", error, values=form.values())
    return _let_in(request, signed_in, "/")


@router.get("/invitations/{token}")
async def show_invitation(request: Request, house: CurrentHouse, session: Session, token: str) -> Response:
    invitation = await invitations.find_open(session, token, house.signing_key)
    return _form_page(request, "accounts/invitation.html", values=Blanks(), email=invitation.email)


@router.post("/invitations/{token}")
async def accept_invitation(
    request: Request, house: CurrentHouse, visit: CurrentVisit, token: str, form: NewAccount
) -> Response:
    async with house.database.reading() as session:
        invitation = await invitations.find_open(session, token, house.signing_key)
    try:
        signed_in = await registering.accept(house, token, form.application(), visit)
    except (NotFound, Conflict):
        raise
    except ParleyError as error:
        return _form_page(
            request, "accounts/invitation.html", error, values=form.values(), email=invitation.email
        )
    return _let_in(request, signed_in, "/")


def _refuse_unless_open(house: House) -> None:
    if house.settings.registration != "open":
        raise Forbidden(registering.BY_INVITATION)


def _let_in(request: Request, signed_in: SignedIn, address: str) -> Response:
    response = _see(address)
    cookies.keep(request, response, signed_in.token, signed_in.expires_at)
    cookies.keep_mark(request, response, signed_in.mark)
    return response


def _form_page(request: Request, template: str, error: ParleyError | None = None, **context: Any) -> Response:
    response = page(request, template, error=error, errors=errors_by_field(error), **context)
    if error is not None and error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    return response


def _see(address: str) -> RedirectResponse:
    return RedirectResponse(address, status_code=303)
