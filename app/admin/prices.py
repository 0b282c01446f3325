"""/admin/prices: what models cost, where an administrator knows better than the list, and the currency shown."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import CurrentAct, CurrentHouse
from app.accounts.forms import LONGEST_FIELD, Blanks, Text, errors_by_field
from app.catalog.models import Model
from app.catalog.parameters import CurrentModel
from app.core.clock import now
from app.core.database import Database, Session
from app.core.errors import Invalid
from app.core.requests import is_htmx
from app.core.templating import page
from app.usage import days, electricity, exchange_rates, price_sheet, prices
from app.usage.parameters import currency_for
from app.usage.price_sheet import Tag
from app.usage.pricing import Rates, in_dollars

router = APIRouter(prefix="/admin/prices")
HOME = "/admin/prices"
DONE = {
    "set": "The price is set. What was used before keeps the price that it had.",
    "removed": "The model has the price of the list again.",
    "currency": "The currency is changed.",
}
Figure = Annotated[str, Query(max_length=20)]


class PriceForm(BaseModel):
    """A price as it was typed, in US dollars per million tokens; `since` is a day, or empty for at once."""

    model_config = ConfigDict(str_max_length=LONGEST_FIELD)

    input: str = ""
    output: str = ""
    cached_input: str = ""
    cache_write: str = ""
    since: str = ""

    def values(self) -> Blanks:
        return Blanks(self.model_dump())


@dataclass(frozen=True)
class Shown:
    """What of the sheet is shown: `which` is `ticked`, `missing` or `all`."""

    term: str
    which: str

    def includes(self, tag: Tag) -> bool:
        if self.term.lower() not in f"{tag.full_name} {tag.model.display_name}".lower():
            return False
        if self.which == "missing":
            return tag.is_missing
        return self.which == "all" or tag.model.is_enabled or tag.override is not None


TICKED = Shown("", "ticked")


async def note_missing(request: Request) -> None:
    """For the navigation beside every page: how many models people may use without a price."""
    if request.method == "GET" and not is_htmx(request):
        database: Database = request.app.state.database
        async with database.reading() as session:
            request.state.models_without_price = await price_sheet.count_missing(session, now())


NoteMissing = Depends(note_missing)


@router.get("")
async def show_prices(
    request: Request,
    session: Session,
    q: Annotated[str, Query(max_length=200)] = "",
    show: Annotated[str, Query(max_length=20)] = "ticked",
    done: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    return await _show_sheet(request, session, Shown(q.strip(), show), done=DONE.get(done, ""))


@router.post("/currency")
async def change_currency(
    request: Request, house: CurrentHouse, act: CurrentAct, code: Text = "", rate: Text = "", on: Text = ""
) -> Response:
    try:
        async with house.database.writing() as session:
            today = now().astimezone(await days.workspace_zone(session)).date()
            day = _day(on, "on") or today
            changed = await exchange_rates.change(
                session, house.hub, act, code=code, rate=rate, on=day, today=today
            )
    except Invalid as error:
        values = Blanks({"code": code, "rate": rate, "on": on})
        async with house.database.reading() as session:
            return await _show_sheet(request, session, error=error, currency_values=values)
    # At once for whoever looks next in this process; the others hear of it from the hub.
    request.app.state.workspace = changed
    return RedirectResponse(f"{HOME}?done=currency", status_code=303)


@router.get("/{model_id}")
async def show_price(
    request: Request,
    model: CurrentModel,
    session: Session,
    watts: Figure = "",
    dollars_per_kwh: Figure = "",
    written_per_second: Figure = "",
    read_per_second: Figure = "",
) -> HTMLResponse:
    """With the figures of a machine the form comes filled in with what its electricity costs."""
    typed = (watts, dollars_per_kwh, written_per_second, read_per_second)
    if not any(typed):
        return await _show_model(request, session, model)
    try:
        machine = electricity.machine_from(*typed)
    except Invalid as error:
        return await _show_model(request, session, model, error=error)
    return await _show_model(request, session, model, values=_as_typed(electricity.rates_of(machine)))


@router.post("/{model_id}")
async def set_price(
    request: Request,
    model: CurrentModel,
    session: Session,
    act: CurrentAct,
    form: Annotated[PriceForm, Form()],
) -> Response:
    try:
        rates = prices.rates_from(form.input, form.output, form.cached_input, form.cache_write)
        zone = await days.workspace_zone(session)
        since = prices.beginning_of(_day(form.since, "since"), zone, now())
        tag = await price_sheet.tag_of(session, model, now())
        await prices.set_price(session, tag.connection.name, model.name, rates, since, act)
    except Invalid as error:
        return await _show_model(request, session, model, values=form.values(), error=error)
    return RedirectResponse(f"{HOME}?done=set", status_code=303)


@router.post("/{model_id}/removal")
async def remove_price(model: CurrentModel, session: Session, act: CurrentAct) -> Response:
    tag = await price_sheet.tag_of(session, model, now())
    await prices.remove_price(session, tag.connection.name, model.name, act)
    return RedirectResponse(f"{HOME}?done=removed", status_code=303)


async def _show_sheet(
    request: Request,
    session: AsyncSession,
    shown: Shown = TICKED,
    *,
    done: str = "",
    error: Invalid | None = None,
    currency_values: Blanks | None = None,
) -> HTMLResponse:
    tags = await price_sheet.sheet(session, now())
    return page(
        request,
        "admin/prices.html",
        error=error,
        tags=[tag for tag in tags if shown.includes(tag)],
        counts={
            "ticked": sum(TICKED.includes(tag) for tag in tags),
            "missing": sum(tag.is_missing for tag in tags),
            "all": len(tags),
        },
        shown=shown,
        done=done,
        errors=errors_by_field(error),
        currency_values=currency_values or _currency_values(request),
        exchange_rates=await exchange_rates.history(session, currency_for(request)),
    )


async def _show_model(
    request: Request,
    session: AsyncSession,
    model: Model,
    *,
    values: Blanks | None = None,
    error: Invalid | None = None,
) -> HTMLResponse:
    moment = now()
    tag = await price_sheet.tag_of(session, model, moment)
    return page(
        request,
        "admin/prices_edit.html",
        error=error,
        tag=tag,
        values=values or (_as_typed(tag.price.rates) if tag.price else Blanks()),
        errors=errors_by_field(error),
        history=await prices.history(session, tag.connection.name, model.name),
        moment=moment,
    )


def _as_typed(rates: Rates) -> Blanks:
    """Rates as the form shows them."""
    named = ("input", "output", "cached_input", "cache_write")
    return Blanks({name: in_dollars(rate) for name in named if (rate := getattr(rates, name)) is not None})


def _currency_values(request: Request) -> Blanks:
    shown_in = currency_for(request)
    return Blanks({"code": shown_in.code, "rate": in_dollars(shown_in.rate_micros)})


def _day(typed: str, field: str) -> date | None:
    if not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise Invalid("Write the day like 2026-11-21.", field=field) from None
