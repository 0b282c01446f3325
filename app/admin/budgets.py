"""/admin/budgets: what may be used at most, by whom, and how fast."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import CurrentAct
from app.accounts.forms import LONGEST_FIELD, Blanks, errors_by_field
from app.core.clock import now
from app.core.database import Session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.templating import page
from app.usage import budget_overview, budgets, subjects
from app.usage.amounts import typed_again
from app.usage.budgets import Limit
from app.usage.currency import Currency
from app.usage.models import Budget, Unit
from app.usage.parameters import currency_for

router = APIRouter(prefix="/admin/budgets")
HOME = "/admin/budgets"
DONE = {
    "created": "The limit holds from the next call on.",
    "changed": "The limit is changed. It holds from the next call on.",
    "removed": "The limit is removed.",
}
HARD = "hard"
Refusal = Invalid | NotFound | Conflict


class LimitForm(BaseModel):
    """A limit as it was typed, in the unit; `kind` is `hard` or `soft`."""

    model_config = ConfigDict(str_max_length=LONGEST_FIELD)

    limit: str = ""
    warn_percent: str = "80"
    kind: str = HARD

    def as_limit(self, unit: Unit, currency: Currency) -> Limit:
        """Raises Invalid. Money is typed in the currency that it is shown in."""
        percent = self.warn_percent.strip().removesuffix("%").strip()
        if not percent.isdecimal() or len(percent) > 3:
            raise Invalid("Write a number from 1 to 100.", field="warn_percent")
        return Limit(budgets.amount_from(self.limit, unit, currency), int(percent), self.kind == HARD)

    def values(self) -> Blanks:
        return Blanks(self.model_dump())


class BudgetForm(LimitForm):
    """A new budget: `name` is of the group, person, key or model; `*` for each one."""

    scope: str = "workspace"
    name: str = ""
    unit: str = Unit.USD
    period: str = "month"


async def _budget(budget_id: str, session: Session) -> Budget:
    return await budgets.by_id(session, budget_id)


CurrentBudget = Annotated[Budget, Depends(_budget)]
NewBudget = Annotated[BudgetForm, Form()]
NewLimit = Annotated[LimitForm, Form()]


@router.get("")
async def show_budgets(
    request: Request, session: Session, done: Annotated[str, Query(max_length=20)] = ""
) -> HTMLResponse:
    return await _show_all(request, session, BudgetForm(), done=DONE.get(done, ""))


@router.post("")
async def create_budget(request: Request, session: Session, act: CurrentAct, form: NewBudget) -> Response:
    try:
        (unit, _), period = budgets.unit_from(form.unit), budgets.period_from(form.period)
        subject = await subjects.find(session, f"{form.scope}:{form.name}")
        await budgets.create(session, subject, unit, period, form.as_limit(unit, currency_for(request)), act)
    except (Invalid, NotFound, Conflict) as error:
        return await _show_all(request, session, form, error=error)
    return RedirectResponse(f"{HOME}?done=created", status_code=303)


@router.get("/{budget_id}")
async def show_budget(request: Request, budget: CurrentBudget, session: Session) -> HTMLResponse:
    form = LimitForm(
        limit=typed_again(budget.amount, budget.unit, currency_for(request)),
        warn_percent=str(budget.warn_percent),
        kind=HARD if budget.is_hard else "soft",
    )
    return await _show_one(request, session, budget, form)


@router.post("/{budget_id}")
async def change_budget(
    request: Request,
    budget: CurrentBudget,
    session: Session,
    act: CurrentAct,
    form: NewLimit,
) -> Response:
    try:
        limit = form.as_limit(Unit(budget.unit), currency_for(request))
        await budgets.change(session, budget, limit, act)
    except Invalid as error:
        return await _show_one(request, session, budget, form, error=error)
    return RedirectResponse(f"{HOME}?done=changed", status_code=303)


@router.post("/{budget_id}/removal")
async def remove_budget(budget: CurrentBudget, session: Session, act: CurrentAct) -> Response:
    await budgets.remove(session, budget, act)
    return RedirectResponse(f"{HOME}?done=removed", status_code=303)


async def _show_all(
    request: Request,
    session: AsyncSession,
    form: BudgetForm,
    *,
    error: Refusal | None = None,
    done: str = "",
) -> HTMLResponse:
    cards = await budget_overview.cards(session, now(), currency_for(request))
    return page(
        request,
        "admin/budgets.html",
        error=error,
        budgets=[card for card in cards if not card.budget.is_rate_limit],
        rate_limits=[card for card in cards if card.budget.is_rate_limit],
        known_names=await subjects.known_names(session),
        values=form.values(),
        errors=errors_by_field(error),
        done=done,
    )


async def _show_one(
    request: Request,
    session: AsyncSession,
    budget: Budget,
    form: LimitForm,
    *,
    error: Invalid | None = None,
) -> HTMLResponse:
    return page(
        request,
        "admin/budgets_edit.html",
        error=error,
        card=await budget_overview.card(session, budget, now(), currency_for(request)),
        values=form.values(),
        errors=errors_by_field(error),
    )
