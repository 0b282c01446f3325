"""/admin/aliases: names that stand for several models."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import CurrentAct, CurrentAdministrator
from app.accounts.forms import LONGEST_FIELD, errors_by_field
from app.catalog import aliases
from app.catalog.aliases import Share, WantedAlias
from app.catalog.models import Alias
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page

router = APIRouter(prefix="/admin/aliases")
HOME = "/admin/aliases"
WEIGHTED = "weighted"
DONE = {
    "created": "The alias is made. People find it among their models.",
    "changed": "The alias is changed. The next call heeds it.",
    "removed": "The alias is removed.",
}


class AliasForm(BaseModel):
    """An alias as it was typed: `targets` has one model a line. Which boxes are ticked is all that these fields say."""

    model_config = ConfigDict(str_max_length=LONGEST_FIELD)

    name: str = ""
    targets: str = ""
    order: str = "ordered"
    allows_cloud: str = ""

    @classmethod
    def of(cls, alias: Alias, shares: tuple[Share, ...]) -> "AliasForm":
        return cls(
            name=alias.name,
            targets="\n".join(share.text(is_weighted=alias.is_weighted) for share in shares),
            order=WEIGHTED if alias.is_weighted else "ordered",
            allows_cloud="on" if alias.allows_cloud else "",
        )

    def wanted(self) -> WantedAlias:
        """Raises Invalid."""
        return WantedAlias(
            self.name, aliases.shares_from(self.targets), self.order == WEIGHTED, bool(self.allows_cloud)
        )


Typed = Annotated[AliasForm, Form()]


async def _alias(alias_id: str, session: Session, _: CurrentAdministrator) -> Alias:
    return await aliases.by_id(session, alias_id)


CurrentAlias = Annotated[Alias, Depends(_alias)]


@router.get("")
async def show_aliases(
    request: Request, session: Session, done: Annotated[str, Query(max_length=20)] = ""
) -> HTMLResponse:
    return await _show_all(request, session, AliasForm(), done=DONE.get(done, ""))


@router.post("")
async def create_alias(request: Request, session: Session, act: CurrentAct, form: Typed) -> Response:
    try:
        await aliases.add(session, form.wanted(), act)
    except Invalid as error:
        return await _show_all(request, session, form, error=error)
    return _to("created")


@router.get("/{alias_id}")
async def edit_alias(request: Request, session: Session, alias: CurrentAlias) -> HTMLResponse:
    return _show_one(request, alias, AliasForm.of(alias, await aliases.shares_of(session, alias)))


@router.post("/{alias_id}")
async def change_alias(
    request: Request, session: Session, alias: CurrentAlias, act: CurrentAct, form: Typed
) -> Response:
    try:
        await aliases.change(session, alias, form.wanted(), act)
    except Invalid as error:
        return _show_one(request, alias, form, error=error)
    return _to("changed")


@router.post("/{alias_id}/removal")
async def remove_alias(session: Session, alias: CurrentAlias, act: CurrentAct) -> Response:
    await aliases.remove(session, alias, act)
    return _to("removed")


async def _show_all(
    request: Request, session: AsyncSession, form: AliasForm, *, done: str = "", error: Invalid | None = None
) -> HTMLResponse:
    found = await aliases.all_aliases(session)
    names = {share.model for shares in found.values() for share in shares}
    return page(
        request,
        "admin/aliases.html",
        error=error,
        aliases=found,
        gone=names - await aliases.existing(session, names),
        values=form,
        errors=errors_by_field(error),
        done=done,
    )


def _show_one(
    request: Request, alias: Alias, form: AliasForm, *, error: Invalid | None = None
) -> HTMLResponse:
    return page(
        request,
        "admin/aliases_edit.html",
        error=error,
        alias=alias,
        values=form,
        errors=errors_by_field(error),
    )


def _to(done: str) -> RedirectResponse:
    return RedirectResponse(f"{HOME}?done={done}", status_code=303)
