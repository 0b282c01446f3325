"""/settings/keys: one's keys, what each may do, and what it may cost."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts import api_keys
from app.accounts.access import CurrentHouse, CurrentUser, CurrentVisit
from app.accounts.audit import Act
from app.accounts.forms import Text, errors_by_field
from app.accounts.key_rules import WHAT, Scope
from app.accounts.models import ApiKey, User
from app.catalog.aliases_offered import choices_for
from app.core.clock import now
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page
from app.usage import key_limits
from app.usage.amounts import typed_again
from app.usage.key_forms import EMPTY_FORM, LIVES, FilledKeyForm, KeyForm, limit_from
from app.usage.parameters import currency_for

router = APIRouter(prefix="/settings/keys", include_in_schema=False)
HOME = "/settings/keys"
DONE = {
    "revoked": "The key is revoked. It stopped working at once, and what was under way with it was ended.",
    "changed": "The key is saved. What was chosen holds from the next call on.",
    "limit": "The limit holds from the next call on.",
}


async def _key(key_id: str, session: Session, user: CurrentUser) -> ApiKey:
    return await api_keys.key_of(session, user, key_id)


CurrentKey = Annotated[ApiKey, Depends(_key)]


@router.get("")
async def show_keys(
    request: Request, session: Session, user: CurrentUser, done: Annotated[str, Query(max_length=20)] = ""
) -> HTMLResponse:
    return await _show_all(request, session, user, done=DONE.get(done, ""))


@router.get("/new")
async def show_form(request: Request, session: Session, user: CurrentUser) -> HTMLResponse:
    return await _show_form(request, session, user, EMPTY_FORM)


@router.post("")
async def create_key(
    request: Request,
    session: Session,
    user: CurrentUser,
    house: CurrentHouse,
    visit: CurrentVisit,
    form: FilledKeyForm,
) -> HTMLResponse:
    """The key is in this answer and nowhere else."""
    try:
        wanted = form.wanted(now(), currency_for(request))
        made = await key_limits.make(session, house, user, Act(user, visit.address), wanted)
    except Invalid as error:
        return await _show_form(request, session, user, form, error=error)
    return await _show_all(request, session, user, new_key=made.secret)


@router.get("/{key_id}")
async def show_key(request: Request, session: Session, key: CurrentKey) -> HTMLResponse:
    return await _show_one(request, session, key)


@router.post("/{key_id}")
async def change_key(
    request: Request,
    session: Session,
    user: CurrentUser,
    key: CurrentKey,
    visit: CurrentVisit,
    name: Text = "",
    stores_calls: Annotated[bool, Form()] = False,
) -> Response:
    act = Act(user, visit.address)
    try:
        await api_keys.change(session, user, key, act, name=name, stores_calls=stores_calls)
    except Invalid as error:
        return await _show_one(request, session, key, name=name, stores_calls=stores_calls, error=error)
    return _back("changed")


@router.post("/{key_id}/limit")
async def set_limit(
    request: Request,
    session: Session,
    user: CurrentUser,
    key: CurrentKey,
    visit: CurrentVisit,
    limit: Text = "",
) -> Response:
    try:
        wanted = limit_from(limit, currency_for(request))
        await key_limits.cap(session, key, wanted, Act(user, visit.address))
    except Invalid as error:
        return await _show_one(request, session, key, limit=limit, error=error)
    return _back("limit")


@router.post("/{key_id}/revoke")
async def revoke_key(user: CurrentUser, visit: CurrentVisit, session: Session, key_id: str) -> Response:
    await api_keys.revoke(session, user, key_id, Act(user, visit.address))
    return _back("revoked")


async def _show_all(
    request: Request, session: AsyncSession, user: User, *, done: str = "", new_key: str = ""
) -> HTMLResponse:
    keys = await api_keys.keys_of(session, user.id)
    return page(
        request,
        "usage/keys.html",
        views=await key_limits.views_of(session, keys, now(), currency_for(request)),
        home=HOME,
        new_key=new_key,
        done=done,
    )


async def _show_form(
    request: Request, session: AsyncSession, user: User, form: KeyForm, *, error: Invalid | None = None
) -> HTMLResponse:
    return page(
        request,
        "usage/keys_new.html",
        error=error,
        values=form,
        errors=errors_by_field(error),
        scopes=[(scope, WHAT[scope]) for scope in Scope if scope != Scope.ADMIN or user.is_administrator],
        lives=LIVES,
        may_store=True,
        models=await choices_for(session, user),
        home=HOME,
    )


async def _show_one(
    request: Request,
    session: AsyncSession,
    key: ApiKey,
    *,
    name: str | None = None,
    stores_calls: bool | None = None,
    limit: str | None = None,
    error: Invalid | None = None,
) -> HTMLResponse:
    """What was typed is shown again; None: as it is stored."""
    (view,) = await key_limits.views_of(session, [key], now(), currency_for(request))
    return page(
        request,
        "usage/keys_edit.html",
        error=error,
        view=view,
        what=WHAT,
        name=key.name if name is None else name,
        stores_calls=key.stores_calls if stores_calls is None else stores_calls,
        limit=await _limit_of(request, session, key) if limit is None else limit,
        errors=errors_by_field(error),
        home=HOME,
    )


async def _limit_of(request: Request, session: AsyncSession, key: ApiKey) -> str:
    budget = await key_limits.cap_of(session, key)
    return typed_again(budget.amount, budget.unit, currency_for(request)) if budget else ""


def _back(done: str) -> RedirectResponse:
    return RedirectResponse(f"{HOME}?done={done}", status_code=303)
