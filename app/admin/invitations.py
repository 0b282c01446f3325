"""/admin/invitations: links that make one account each."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from app.accounts import invitations
from app.accounts.access import CurrentAct, CurrentAdministrator, CurrentHouse
from app.accounts.forms import errors_by_field
from app.accounts.house import House
from app.accounts.models import UserRole
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page

router = APIRouter(prefix="/admin")


@router.get("/invitations")
async def show_invitations(
    request: Request, house: CurrentHouse, done: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    return await _page(request, house, withdrawn=bool(done))


@router.post("/invitations")
async def create_invitation(
    request: Request,
    house: CurrentHouse,
    administrator: CurrentAdministrator,
    act: CurrentAct,
    email: Annotated[str, Form()] = "",
    role: Annotated[UserRole, Form()] = UserRole.MEMBER,
) -> Response:
    try:
        async with house.database.writing() as session:
            made = await invitations.invite(
                session,
                administrator,
                house.signing_key,
                act,
                role=role,
                days=house.settings.invitation_days,
                email=email,
            )
    except Invalid as error:
        return await _page(request, house, error=error, email=email, role=role)
    return await _page(request, house, link=_link(request, house, made.token))


@router.post("/invitations/{invitation_id}/withdraw")
async def withdraw_invitation(session: Session, act: CurrentAct, invitation_id: str) -> Response:
    await invitations.withdraw(session, invitation_id, act)
    return RedirectResponse("/admin/invitations?done=withdrawn", status_code=303)


async def _page(
    request: Request,
    house: House,
    *,
    error: Invalid | None = None,
    email: str = "",
    role: UserRole = UserRole.MEMBER,
    link: str = "",
    withdrawn: bool = False,
) -> Response:
    async with house.database.reading() as session:
        waiting = await invitations.all_open(session)
    return page(
        request,
        "admin/invitations.html",
        error=error,
        errors=errors_by_field(error),
        invitations=waiting,
        email=email,
        role=role,
        link=link,
        withdrawn=withdrawn,
    )


def _link(request: Request, house: House, token: str) -> str:
    base = house.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return f"{base}/invitations/{token}"
