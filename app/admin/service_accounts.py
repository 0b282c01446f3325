"""/admin/service-accounts: programs that belong to no person, their keys, and who pays for them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts import api_keys, groups, memberships, service_accounts
from app.accounts.access import CurrentAct, CurrentAdministrator, CurrentHouse
from app.accounts.forms import Blanks, Text, errors_by_field
from app.accounts.key_rules import WHAT, Scope
from app.accounts.models import User
from app.catalog.aliases_offered import choices_for
from app.core.clock import now
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page
from app.usage import key_limits
from app.usage.key_forms import EMPTY_FORM, LIVES, FilledKeyForm, KeyForm
from app.usage.parameters import currency_for

router = APIRouter(prefix="/admin/service-accounts")
HOME = "/admin/service-accounts"
DONE = {
    "created": "The service account is made. Give its program a key.",
    "saved": "The service account is saved.",
    "disabled": "The service account is disabled. Its keys stopped working at once.",
    "enabled": "The service account is enabled again.",
    "revoked": "The key is revoked. It stopped working at once, and what was under way with it was ended.",
}
Done = Annotated[str, Query(max_length=20)]


async def _account(account_id: str, session: Session, _: CurrentAdministrator) -> User:
    return await service_accounts.by_id(session, account_id)


CurrentAccount = Annotated[User, Depends(_account)]


@router.get("")
async def show_accounts(request: Request, session: Session) -> HTMLResponse:
    return await _show_all(request, session)


@router.post("")
async def create_account(
    request: Request, session: Session, act: CurrentAct, name: Text = "", group: Text = ""
) -> Response:
    try:
        account = await service_accounts.create(session, name, act, group_id=group)
    except Invalid as error:
        return await _show_all(request, session, values=Blanks(name=name, group=group), error=error)
    return _back(account, "created")


@router.get("/{account_id}")
async def show_account(
    request: Request, session: Session, account: CurrentAccount, done: Done = ""
) -> HTMLResponse:
    return await _show_one(request, session, account, done=DONE.get(done, ""))


@router.post("/{account_id}")
async def change_account(
    request: Request,
    session: Session,
    account: CurrentAccount,
    act: CurrentAct,
    name: Text = "",
    group: Text = "",
) -> Response:
    try:
        await service_accounts.rename(session, account, name, act)
        await service_accounts.choose_group(session, account, group, act)
    except Invalid as error:
        return await _show_one(request, session, account, values=Blanks(name=name, group=group), error=error)
    return _back(account, "saved")


@router.post("/{account_id}/disable")
async def disable_account(session: Session, account: CurrentAccount, act: CurrentAct) -> Response:
    await service_accounts.disable(session, account, act)
    return _back(account, "disabled")


@router.post("/{account_id}/enable")
async def enable_account(session: Session, account: CurrentAccount, act: CurrentAct) -> Response:
    await service_accounts.enable(session, account, act)
    return _back(account, "enabled")


@router.get("/{account_id}/keys/new")
async def show_key_form(request: Request, session: Session, account: CurrentAccount) -> HTMLResponse:
    return await _show_key_form(request, session, account, EMPTY_FORM)


@router.get("/{account_id}/keys")
async def open_account_again(account: CurrentAccount) -> Response:
    """The answer to the form left the form's address in the browser: opening it leads back."""
    return RedirectResponse(f"{HOME}/{account.id}", status_code=303)


@router.post("/{account_id}/keys")
async def create_key(
    request: Request,
    session: Session,
    account: CurrentAccount,
    house: CurrentHouse,
    act: CurrentAct,
    form: FilledKeyForm,
) -> HTMLResponse:
    """The key is in this answer and nowhere else."""
    try:
        made = await key_limits.make(session, house, account, act, form.wanted(now(), currency_for(request)))
    except Invalid as error:
        return await _show_key_form(request, session, account, form, error=error)
    return await _show_one(request, session, account, new_key=made.secret)


@router.get("/{account_id}/keys/{key_id}")
async def show_key(request: Request, session: Session, account: CurrentAccount, key_id: str) -> HTMLResponse:
    key = await api_keys.key_of(session, account, key_id)
    (view,) = await key_limits.views_of(session, [key], now(), currency_for(request))
    home = f"{HOME}/{account.id}/keys"
    return page(request, "admin/service_accounts_key.html", account=account, view=view, what=WHAT, home=home)


@router.post("/{account_id}/keys/{key_id}/revoke")
async def revoke_key(session: Session, account: CurrentAccount, act: CurrentAct, key_id: str) -> Response:
    await api_keys.revoke(session, account, key_id, act)
    return _back(account, "revoked")


async def _show_all(
    request: Request, session: AsyncSession, *, values: Blanks | None = None, error: Invalid | None = None
) -> HTMLResponse:
    accounts = await service_accounts.all_of_them(session)
    return page(
        request,
        "admin/service_accounts.html",
        error=error,
        accounts=accounts,
        places=await memberships.places_of(session, [account.id for account in accounts]),
        keys=await api_keys.counts_of(session, [account.id for account in accounts]),
        groups=await _group_choices(session),
        values=values or Blanks(),
        errors=errors_by_field(error),
    )


async def _show_one(
    request: Request,
    session: AsyncSession,
    account: User,
    *,
    done: str = "",
    new_key: str = "",
    values: Blanks | None = None,
    error: Invalid | None = None,
) -> HTMLResponse:
    paid_by = await service_accounts.group_id_of(session, account)
    keys = await api_keys.keys_of(session, account.id)
    return page(
        request,
        "admin/service_accounts_edit.html",
        error=error,
        account=account,
        views=await key_limits.views_of(session, keys, now(), currency_for(request)),
        home=f"{HOME}/{account.id}/keys",
        groups=await _group_choices(session),
        values=values or Blanks(name=account.name, group=paid_by),
        new_key=new_key,
        done=done,
        errors=errors_by_field(error),
    )


async def _show_key_form(
    request: Request, session: AsyncSession, account: User, form: KeyForm, *, error: Invalid | None = None
) -> HTMLResponse:
    return page(
        request,
        "admin/service_accounts_new_key.html",
        error=error,
        account=account,
        home=f"{HOME}/{account.id}/keys",
        values=form,
        errors=errors_by_field(error),
        scopes=[(scope, WHAT[scope]) for scope in Scope if scope is not Scope.ADMIN],
        lives=LIVES,
        may_store=False,
        models=await choices_for(session, account),
    )


async def _group_choices(session: AsyncSession) -> Sequence[tuple[str, str]]:
    found = await groups.all_groups(session)
    return [("", "No group"), *((group.id, group.name) for group in found)]


def _back(account: User, done: str) -> RedirectResponse:
    return RedirectResponse(f"{HOME}/{account.id}?done={done}", status_code=303)
