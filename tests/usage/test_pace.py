"""Budgets on pages of usage: how far they are, and where they are going."""

from datetime import UTC, datetime

import pytest
from fastapi import FastAPI

from app.accounts.audit import COMMAND_LINE, Act
from app.core.database import Database
from app.usage import budgets
from app.usage.budget_overview import Line
from app.usage.budgets import Limit
from app.usage.counters import Standing
from app.usage.models import Budget, BudgetScope, Period, Unit
from app.usage.pace import pace_of
from app.usage.periods import Span
from app.usage.purses import Purse
from tests.cast import Cast
from tests.usage.recording import uses

NOVEMBER = Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
FOR_GOOD = Span(datetime(2026, 1, 1, tzinfo=UTC), None)
MIDDLE = datetime(2026, 11, 16, tzinfo=UTC)


def line(spent: int, *, span: Span = NOVEMBER) -> Line:
    budget = Budget(
        scope="workspace", subject="", unit="usd", period="month", amount=100_000_000, warn_percent=80
    )
    return Line("Workspace", Standing(Purse(budget, "", span), budget.amount, spent))


@pytest.mark.parametrize(
    ("spent", "forecast", "sentence"),
    [
        (30_000_000, 60, "At this pace $60.00 by the end of 30 November."),
        (75_000_000, 100, "At this pace spent on 21 November."),
        (100_000_000, 100, "Spent. Starts again on 1 December."),
        (0, 0, "At this pace $0.00 by the end of 30 November."),
    ],
)
def test_a_budget_goes_on_as_until_now(spent: int, forecast: int, sentence: str) -> None:
    pace = pace_of(line(spent), MIDDLE)

    assert (pace.forecast, pace.sentence) == (forecast, sentence)


def test_what_never_ends_has_no_pace() -> None:
    assert pace_of(line(30_000_000, span=FOR_GOOD), MIDDLE).sentence == "$70.00 left."


async def test_everybody_sees_the_budgets_that_are_theirs(
    cast: Cast, database: Database, app: FastAPI
) -> None:
    async with database.writing() as session:
        for scope, subject, amount in (
            (BudgetScope.WORKSPACE, "", 77_000_000),
            (BudgetScope.USER, cast.bob.id, 11_000_000),
        ):
            limit = Limit(amount)
            await budgets.create(session, (scope, subject), Unit.USD, Period.MONTH, limit, Act(COMMAND_LINE))
    await uses(database, cast.bob)

    alices = (await cast.alice.client.get("/admin/usage")).text
    bobs = (await cast.bob.client.get("/usage")).text

    assert "$77.00 a month" in alices
    assert "$11.00 a month" in alices
    assert "$11.00 a month" in bobs
    assert "$77.00 a month" not in bobs
    assert "$11.00 a month" not in (await cast.charlie.client.get("/usage")).text
