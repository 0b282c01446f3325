"""A month of a group's use, as a page to print: who used what, on which models, and what it cost.

Shown at the exchange rate of its last day: a statement that was printed stays true when the rate changes.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Workspace
from app.core.clock import now
from app.usage import days, exchange_rates, ranges, reports, showing
from app.usage.access import View
from app.usage.currency import currency_of
from app.usage.dashboard import rows_of
from app.usage.names import names
from app.usage.questions import Measure, Question


async def shown(session: AsyncSession, workspace: Workspace, view: View, month: str) -> dict[str, Any]:
    """What the template `usage/statement.html` needs. The month before this one unless another is asked for,
    because that one is complete. Raises Invalid."""
    today = now().astimezone(await days.workspace_zone(session)).date()
    chosen = ranges.month(month or f"{days.months_earlier(today, 1):%Y-%m}", today)
    asked = Question(chosen, view.limit)
    by_who = await reports.by_who(session, asked)
    models = await reports.by_model(session, asked)
    currency = await exchange_rates.at_the_end_of(session, currency_of(workspace), chosen.last)
    return {
        "view": view,
        "range": chosen,
        "is_complete": chosen.last == chosen.end and chosen.last < today,
        "total": reports.together(models.values()),
        "models": sorted(models.items(), key=lambda item: (-item[1].cost_micros, item[0])),
        "people": rows_of(by_who, "user_id", Measure.COST),
        "names": await names(session, view.viewer, models={what.full_name for what in models}),
        "earlier": f"{days.months_earlier(chosen.first, 1):%Y-%m}",
        "later": f"{days.first_of_next_month(chosen.first):%Y-%m}" if chosen.end < today else "",
        "cost": lambda total: showing.cost(currency, total),
        "currency": currency,
        "at": now(),
    }
