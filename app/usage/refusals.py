"""What a person is told when a limit refuses a call: which one, how much, until when, and what to do instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.errors import ParleyError
from app.core.templating import local_time
from app.usage import exchange_rates
from app.usage.alternatives import alternatives
from app.usage.amounts import in_words, limit_in_words
from app.usage.counters import Standing
from app.usage.currency import Currency
from app.usage.models import Budget, BudgetScope, Period, Unit
from app.usage.needs import Need, NoRoom
from app.usage.purses import Book, Payer
from app.usage.subjects import Subject, names_of, subject_of

SECONDS_UNTIL_ANOTHER_ENDS = 5
"""Nobody knows when a running answer ends; asking again after this is soon enough."""
SPANS = {Period.DAY: "daily ", Period.WEEK: "weekly ", Period.MONTH: "monthly "}


class OverBudget(ParleyError):
    """A hard budget does not allow the call."""

    status = 429
    code = "budget_exceeded"
    title = "The budget does not allow this"


class TooFast(ParleyError):
    """A rate limit does not allow the call now; `retry_after` says when it will."""

    status = 429
    code = "rate_limit_exceeded"
    title = "Too many requests"


@dataclass(frozen=True)
class Refused:
    """A call that was refused: who asked for what, when, and how much it needed."""

    payer: Payer
    at: datetime
    need: Need
    book: Book


async def no_room(session: AsyncSession, refused: Refused, reason: NoRoom) -> OverBudget | TooFast:
    """The error for a call that does not fit into what is left."""
    budget = reason.standing.budget
    shown_in = await exchange_rates.current(session)
    if budget.is_rate_limit:
        return await _too_fast(session, reason.standing, refused.at)
    sentences = [
        await _what(session, reason, shown_in),
        "" if reason.is_held_by_others else _until(reason.standing, refused.book.timezone),
        _who_can_raise(budget),
        _go_on_with(await alternatives(session, refused.payer, refused.need, reason.standing, refused.at)),
    ]
    again = (
        SECONDS_UNTIL_ANOTHER_ENDS
        if reason.is_held_by_others
        else _seconds_until(reason.standing, refused.at)
    )
    return OverBudget(" ".join(filter(None, sentences)), retry_after=again)


async def no_price(session: AsyncSession, refused: Refused, budget: Budget) -> OverBudget:
    """The error for a model whose use nobody could count."""
    name = await _name(session, subject_of(budget))
    return OverBudget(
        f"{refused.payer.model} has no price, and {name} is limited in money: what it costs could not be counted. "
        "Choose another model, or ask an administrator to set its price under Administration → Prices."
    )


async def _too_fast(session: AsyncSession, standing: Standing, at: datetime) -> TooFast:
    budget = standing.budget
    limit = f"{await _of_whom(session, standing, 'limit')} is {limit_in_words(budget)}."
    if budget.unit == Unit.REPLIES:
        stop = ", or stop one" if budget.scope == BudgetScope.USER else ""
        return TooFast(f"{limit} Wait until one of them ends{stop}.", retry_after=SECONDS_UNTIL_ANOTHER_ENDS)
    seconds = _seconds_until(standing, at) or 1
    return TooFast(f"{limit} Try again in {seconds} s.", retry_after=seconds)


async def _what(session: AsyncSession, reason: NoRoom, shown_in: Currency) -> str:
    standing = reason.standing
    budget = standing.budget
    whose = await _whose(session, standing, shown_in)
    if standing.is_spent:
        return f"{whose} is spent."
    if reason.is_held_by_others:
        held = "is held for answers that are being written"
        return f"{whose} {held}. Try again in a moment: what they do not use becomes free."
    left = in_words(max(0, standing.left), budget.unit, shown_in)
    return f"{whose} has {left} left, and this can take {in_words(reason.needed, budget.unit, shown_in)}."


async def _whose(session: AsyncSession, standing: Standing, shown_in: Currency) -> str:
    budget = standing.budget
    if budget.is_own:
        whose = "This key's own limit" if budget.scope == BudgetScope.KEY else "Your own cap"
        return f"{whose} of {limit_in_words(budget, shown_in)}"
    what = f"{SPANS.get(Period(budget.period), '')}budget of {in_words(budget.amount, budget.unit, shown_in)}"
    return await _of_whom(session, standing, what)


async def _of_whom(session: AsyncSession, standing: Standing, what: str) -> str:
    """`Your budget`, `The limit for the group Design`."""
    scope = BudgetScope(standing.budget.scope)
    if scope is BudgetScope.USER:
        return f"Your {what}"
    return f"The {what} for {await _name(session, (scope, standing.purse.subject))}"


def _until(standing: Standing, timezone: str) -> str:
    end = standing.purse.span.end
    if end is None:
        return "It does not start again by itself."
    return f"It starts again on {local_time(end, timezone):%A, %-d %B %Y, %H:%M} ({timezone})."


def _who_can_raise(budget: Budget) -> str:
    if budget.is_own and budget.scope == BudgetScope.KEY:
        return "Its owner can change it under Settings → API keys, an administrator under Administration → Budgets."
    if budget.is_own:
        return "You can change it under Usage."
    return "An administrator can raise it under Administration → Budgets."


def _go_on_with(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"You can go on with {listed}."


async def _name(session: AsyncSession, subject: Subject) -> str:
    return (await names_of(session, [subject]))[subject]


def _seconds_until(standing: Standing, at: datetime) -> int | None:
    end = standing.purse.span.end
    return None if end is None else max(1, ceil((end - at).total_seconds()))
