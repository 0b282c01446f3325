"""Which other models a person may still use when a budget has too little left for the one that was asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.api_keys import models_of
from app.accounts.models import User
from app.catalog.access import UsableModel, usable_models
from app.usage.counters import Standing
from app.usage.models import BudgetScope, Unit
from app.usage.needs import LEAST_OUTPUT, Need
from app.usage.price_sheet import sheet
from app.usage.pricing import highest_cost
from app.usage.purses import Payer

MOST_NAMED = 3


async def alternatives(
    session: AsyncSession, payer: Payer, need: Need, standing: Standing, at: datetime
) -> Sequence[str]:
    """The names of a few that the key may be used for, the cheapest first.

    Tokens and requests are used up by every model alike.
    """
    user = await session.get(User, payer.user_id)
    unit, scope = standing.budget.unit, standing.budget.scope
    if user is None or (unit != Unit.USD and scope != BudgetScope.MODEL):
        return []
    costs = await _costs(session, need, at)
    kept_to = await models_of(session, payer.api_key_id)
    room = None if scope == BudgetScope.MODEL else standing.left
    fitting = [
        model
        for model in await usable_models(session, user)
        if model.is_usable
        and model.full_name != payer.model
        and (not kept_to or model.full_name in kept_to)
        and _fits(model, costs, room)
    ]
    cheapest = sorted(fitting, key=lambda model: costs[model.full_name] or 0)
    return [model.label for model in cheapest[:MOST_NAMED]]


def _fits(model: UsableModel, costs: Mapping[str, int | None], room: int | None) -> bool:
    cost = costs.get(model.full_name)
    return cost is not None and (room is None or cost <= max(0, room))


async def _costs(session: AsyncSession, need: Need, at: datetime) -> dict[str, int | None]:
    """The most that a short answer by each model can cost, by full name."""
    output = min(LEAST_OUTPUT, need.output_tokens)
    return {
        tag.full_name: None if tag.price is None else highest_cost(tag.price, need.input_tokens, output)
        for tag in await sheet(session, at)
    }
