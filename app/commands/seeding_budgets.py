"""What a demo workspace may use: budgets of every kind, some of them nearly spent, and the money that people see."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.accounts.house import House
from app.commands.made_up import MODELS
from app.commands.made_up_team import ALLOWANCES, FOR_EACH, KEY_ALLOWANCE, Allowance, limit_for
from app.core.errors import Invalid, NotFound
from app.usage import budgets, counters, exchange_rates, prices, subjects
from app.usage.budgets import Limit
from app.usage.models import Unit
from app.usage.pricing import MILLION

ACT = Act(audit.COMMAND_LINE)
CURRENCY, RATE = "EUR", "0.92"


async def add_prices(session: AsyncSession, house: House, since: datetime, at: datetime) -> None:
    """The prices that administrators set, since the year began; and money in a currency of its own."""
    for model in MODELS:
        if model.is_overridden and model.price is not None:
            rates = model.price.rates
            await prices.set_price(session, model.connection, model.name, rates, since, ACT)
    await exchange_rates.change(
        session, house.hub, ACT, code=CURRENCY, rate=RATE, on=at.date(), today=at.date()
    )


async def add_budgets(session: AsyncSession, key_id: str | None, at: datetime) -> None:
    """For the workspace, groups, a person, a key and a model; what was used so far is this or that part of each."""
    for allowance in ALLOWANCES:
        await _add(session, allowance, allowance.subject, at)
    if key_id is not None:
        await _add(session, KEY_ALLOWANCE, f"{KEY_ALLOWANCE.subject}{key_id}", at)
    for subject, unit, period, amount in FOR_EACH:
        found = await subjects.find(session, subject)
        await budgets.create(session, found, unit, period, Limit(amount), ACT)


async def _add(session: AsyncSession, allowance: Allowance, typed: str, at: datetime) -> None:
    try:
        subject = await subjects.find(session, typed)
    except (Invalid, NotFound):
        # In a small workspace not everybody is there.
        return
    limit = Limit(1, is_hard=allowance.is_hard)
    budget = await budgets.create(session, subject, allowance.unit, allowance.period, limit, ACT)
    book = await budgets.read_book(session)
    spent = (await counters.standings(session, [book.purse(budget, budget.subject, at)]))[0].spent
    budget.amount = limit_for(allowance, spent, MILLION if allowance.unit is Unit.USD else 1)
