"""/usage/budget: which limits concern one, how much of them is used, and a cap of one's own."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import CurrentUser, CurrentVisit
from app.accounts.audit import Act
from app.accounts.forms import Text, errors_by_field
from app.accounts.models import User
from app.core.clock import now
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page
from app.usage import budget_overview, budgets
from app.usage.amounts import typed_again
from app.usage.budgets import Limit
from app.usage.models import Unit
from app.usage.parameters import currency_for

router = APIRouter(prefix="/usage/budget", include_in_schema=False)
HOME = "/usage/budget"
DONE = {
    "set": "Your cap holds from the next message on.",
    "removed": "You have no cap of your own any more.",
}


@router.get("")
async def show_own_budget(
    request: Request, user: CurrentUser, session: Session, done: Annotated[str, Query(max_length=20)] = ""
) -> HTMLResponse:
    cap = await budgets.own_cap(session, user)
    typed = typed_again(cap.amount, cap.unit, currency_for(request)) if cap else ""
    return await _show(request, session, user, limit=typed, done=DONE.get(done, ""))


@router.post("")
async def set_own_cap(
    request: Request,
    user: CurrentUser,
    session: Session,
    visit: CurrentVisit,
    limit: Text = "",
) -> Response:
    try:
        wanted = Limit(budgets.amount_from(limit, Unit.USD, currency_for(request)))
        await budgets.set_own_cap(session, user, wanted, Act(user, visit.address))
    except Invalid as error:
        return await _show(request, session, user, limit=limit, error=error)
    return RedirectResponse(f"{HOME}?done=set", status_code=303)


@router.post("/removal")
async def remove_own_cap(user: CurrentUser, session: Session, visit: CurrentVisit) -> Response:
    cap = await budgets.own_cap(session, user)
    if cap is not None:
        await budgets.remove(session, cap, Act(user, visit.address))
    return RedirectResponse(f"{HOME}?done=removed", status_code=303)


async def _show(
    request: Request,
    session: AsyncSession,
    user: User,
    *,
    limit: str,
    done: str = "",
    error: Invalid | None = None,
) -> HTMLResponse:
    return page(
        request,
        "usage/budget.html",
        error=error,
        lines=await budget_overview.own_lines(session, user, now(), currency_for(request)),
        has_cap=await budgets.own_cap(session, user) is not None,
        limit=limit,
        errors=errors_by_field(error),
        done=done,
    )
