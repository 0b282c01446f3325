"""Keys and what they may cost: made together, shown together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import api_keys
from app.accounts.api_keys import NewKey
from app.accounts.audit import Act
from app.accounts.house import House
from app.accounts.key_rules import Rules
from app.accounts.models import ApiKey, User
from app.usage import budgets
from app.usage.budget_overview import Line
from app.usage.budgets import Limit
from app.usage.counters import standings
from app.usage.currency import Currency
from app.usage.models import EACH, Budget, BudgetScope
from app.usage.subjects import Subject


@dataclass(frozen=True)
class WantedKey:
    """A key that somebody asks for. `monthly_limit` is in micro-US-dollars."""

    name: str
    rules: Rules
    monthly_limit: int | None = None


@dataclass(frozen=True)
class KeyView:
    """A key as its owner sees it; `lines` are the budgets that concern it alone, as they stand."""

    key: ApiKey
    rules: Rules
    lines: Sequence[Line]
    has_expired: bool


async def make(session: AsyncSession, house: House, owner: User, act: Act, wanted: WantedKey) -> NewKey:
    """A key with its cap. Raises Invalid."""
    made = await api_keys.create(session, owner, house.signing_key, act, name=wanted.name, rules=wanted.rules)
    if wanted.monthly_limit is not None:
        await cap(session, made.row, wanted.monthly_limit, act)
    return made


async def cap(session: AsyncSession, key: ApiKey, monthly: int | None, act: Act) -> None:
    """The most that this key may cost in a month, in micro-US-dollars; None takes the cap away. Raises Invalid."""
    if monthly is not None:
        await budgets.set_cap(session, _subject(key), Limit(monthly), act)
    elif (budget := await budgets.cap_of(session, _subject(key))) is not None:
        await budgets.remove(session, budget, act)


async def cap_of(session: AsyncSession, key: ApiKey) -> Budget | None:
    return await budgets.cap_of(session, _subject(key))


async def views_of(
    session: AsyncSession, keys: Sequence[ApiKey], at: datetime, currency: Currency
) -> list[KeyView]:
    """These keys, with what limits each of them."""
    lines = await _lines_of(session, keys, at, currency)
    return [
        KeyView(key, api_keys.rules_of(key), lines.get(key.id, []), api_keys.has_expired(key, at))
        for key in keys
    ]


async def _lines_of(
    session: AsyncSession, keys: Sequence[ApiKey], at: datetime, currency: Currency
) -> dict[str, list[Line]]:
    book = await budgets.read_book(session)
    purses = [
        book.purse(budget, key.id, at)
        for key in keys
        for budget in book.budgets
        if budget.scope == BudgetScope.KEY and budget.subject in (key.id, EACH) and not budget.is_rate_limit
    ]
    lines: dict[str, list[Line]] = {}
    for standing in await standings(session, purses):
        lines.setdefault(standing.purse.subject, []).append(Line("this key", standing, currency))
    return lines


def _subject(key: ApiKey) -> Subject:
    return BudgetScope.KEY, key.id
