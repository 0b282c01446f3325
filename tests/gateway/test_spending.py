"""The gate before a call: what limits do not allow is refused in a sentence that says what to do."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import anyio
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select, update

from app.accounts import groups, memberships, people
from app.accounts.audit import COMMAND_LINE, Act
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.database import Database
from app.gateway.calls import Call, Gateway
from app.providers.base import Request, Role, Turn
from app.providers.errors import RateLimited
from app.providers.events import TextDelta
from app.usage import budgets
from app.usage.budgets import Limit
from app.usage.models import (
    Budget,
    BudgetCounter,
    BudgetScope,
    LedgerEntry,
    Period,
    PriceOverride,
    Reservation,
    Unit,
)
from app.usage.refusals import OverBudget, TooFast
from tests.cast import Cast

OPERATOR = Act(COMMAND_LINE)
EVERYBODY = (BudgetScope.WORKSPACE, "")
QUESTION = "one two three four"


@pytest.fixture
def gateway(app: FastAPI) -> Gateway:
    gateway: Gateway = app.state.gateway
    return gateway


@pytest.fixture(autouse=True)
async def models(database: Database) -> None:
    """A token of `echo-fast` and `echo-slow` costs a micro-dollar; `echo` is free; `away/gpt` has no price."""
    async with database.writing() as session:
        echo = Connection(name="echo", label="Echo", kind="echo")
        away = Connection(
            name="away", label="Away", kind="openai-compatible", base_url="http://127.0.0.1:9/v1"
        )
        session.add_all([echo, away])
        await session.flush()
        for connection, name in ((echo, "echo"), (echo, "echo-fast"), (echo, "echo-slow"), (away, "gpt")):
            session.add(Model(connection_id=connection.id, name=name, display_name=name, is_enabled=True))
        for name in ("echo-fast", "echo-slow"):
            row = PriceOverride(connection="echo", model=name, input=1_000_000, output=1_000_000)
            row.effective_from = echo.created_at
            session.add(row)


async def limit(
    app: FastAPI,
    amount: int,
    unit: Unit = Unit.USD,
    period: Period = Period.MONTH,
    subject: tuple[BudgetScope, str] = EVERYBODY,
    *,
    is_hard: bool = True,
) -> Budget:
    database: Database = app.state.database
    async with database.writing() as session:
        wanted = Limit(amount, is_hard=is_hard)
        budget = await budgets.create(session, subject, unit, period, wanted, OPERATOR)
    # The process hears of it in the background.
    await asyncio.sleep(0)
    return budget


async def ask(
    gateway: Gateway,
    text: str = QUESTION,
    *,
    model: str = "echo/echo-fast",
    user: str = "bob",
    most: int | None = None,
    on_word: Callable[[], object] = lambda: None,
) -> str:
    call = Call(user, Request(model, (Turn(Role.USER, text),), max_output_tokens=most), origin="api")
    answer = ""
    async with gateway.open(call) as completion:
        async for event in completion:
            answer += event.text if isinstance(event, TextDelta) else ""
            on_word()
    return answer


async def refusal(gateway: Gateway, **how: str) -> str:
    with pytest.raises((OverBudget, TooFast)) as error:
        await ask(gateway, **how)  # type: ignore[arg-type]
    return error.value.message


async def test_a_spent_budget_refuses_and_says_what_to_do(app: FastAPI, gateway: Gateway, cast: Cast) -> None:
    await limit(app, 0)

    sentence = await refusal(gateway, user=cast.bob.id)

    assert sentence.startswith(
        "The monthly budget of $0.00 for the whole workspace is spent. It starts again on "
    )
    assert "00:00 (UTC). An administrator can raise it under Administration → Budgets." in sentence
    assert sentence.endswith("You can go on with echo."), "it is free"
    assert await ask(gateway, model="echo/echo", user=cast.bob.id), "and so it works"


async def test_too_little_left_says_how_much_is_missing(app: FastAPI, gateway: Gateway) -> None:
    await limit(app, 100, Unit.TOKENS, Period.DAY)

    sentence = await refusal(gateway)

    assert (
        "The daily budget of 100 tokens for the whole workspace has 100 tokens left, and this can take"
        in sentence
    )
    assert "go on with" not in sentence, "every model uses tokens"


async def test_an_answer_is_cut_to_what_the_budget_allows(
    app: FastAPI, gateway: Gateway, database: Database
) -> None:
    await limit(app, 400)

    answer = await ask(gateway, f"/long 2000 {QUESTION}")

    assert 256 <= len(answer.split()) < 400
    await gateway.flush()
    async with database.reading() as session:
        assert (await session.scalars(select(LedgerEntry.cost_micros))).one() <= 400


async def test_no_limit_is_exceeded_by_many_at_once(
    app: FastAPI, gateway: Gateway, database: Database
) -> None:
    most = 20_000
    await limit(app, most)
    answered: list[str] = []
    refused: list[OverBudget] = []

    async def try_to_ask() -> None:
        try:
            answered.append(await ask(gateway, f"/long 300 {QUESTION}", most=1_000))
        except OverBudget as error:
            refused.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(60):
            group.start_soon(try_to_ask)

    assert refused
    assert all("held for answers that are being written" in error.message for error in refused)
    assert {error.retry_after for error in refused} == {5}
    await gateway.flush()
    async with database.reading() as session:
        assert 0 < (await session.scalar(select(func.sum(LedgerEntry.cost_micros))) or 0) <= most
        assert await session.scalar(select(func.count()).select_from(LedgerEntry)) == len(answered) > 10
        row = (await session.scalars(select(BudgetCounter))).one()
        assert row.reserved == 0
        assert row.spent == await session.scalar(select(func.sum(LedgerEntry.cost_micros)))


async def test_a_soft_budget_refuses_nobody(app: FastAPI, gateway: Gateway, database: Database) -> None:
    await limit(app, 0, is_hard=False)

    assert await ask(gateway)
    async with database.reading() as session:
        assert (await session.scalars(select(Reservation))).all() == []


async def test_a_call_that_no_limit_concerns_reserves_nothing(
    app: FastAPI, gateway: Gateway, database: Database
) -> None:
    await limit(app, 0, subject=(BudgetScope.USER, "alice"))

    assert await ask(gateway)
    assert (await refusal(gateway, user="alice")).startswith("Your monthly budget of $0.00 is spent.")


async def test_a_model_without_a_price_is_refused_where_money_is_limited(
    app: FastAPI, gateway: Gateway
) -> None:
    await limit(app, 10**9)

    sentence = await refusal(gateway, model="away/gpt")

    assert sentence.startswith("away/gpt has no price, and the whole workspace is limited in money")
    assert "Administration → Prices" in sentence


async def test_a_failed_call_gives_back_what_it_held(
    app: FastAPI, gateway: Gateway, database: Database
) -> None:
    await limit(app, 10_000)
    with pytest.raises(RateLimited):
        await ask(gateway, "/fail rate_limited")
    await gateway.flush()

    async with database.reading() as session:
        row = (await session.scalars(select(BudgetCounter))).one()
        assert (row.spent, row.reserved) == (0, 0)


async def test_a_stopped_call_is_never_estimated_beyond_what_it_was_allowed(
    app: FastAPI, gateway: Gateway, database: Database
) -> None:
    await limit(app, 10**6)
    words = "incomprehensibilities " * 30
    call = Call("bob", Request("echo/echo-fast", (Turn(Role.USER, words),), max_output_tokens=20), "api")
    async with gateway.open(call) as completion:
        async for _ in completion:
            pass
        completion.attempt.meter._finish_reason = None

    assert completion.receipt.usage.output <= 20


async def test_raising_a_limit_counts_with_the_next_call(
    app: FastAPI, gateway: Gateway, database: Database
) -> None:
    budget = await limit(app, 0)
    await refusal(gateway)

    async with database.writing() as session:
        row = await budgets.by_id(session, budget.id)
        await budgets.change(session, row, Limit(10**6), OPERATOR)

    assert await ask(gateway)


async def test_what_the_command_line_removes_is_gone_within_a_second(
    app: FastAPI, gateway: Gateway, database: Database
) -> None:
    await limit(app, 0)
    await refusal(gateway)
    async with database.writing() as session:
        await session.execute(delete(Budget))

    assert await ask(gateway), "what was removed meanwhile refuses nobody"


class TestRateLimits:
    async def test_requests_a_minute(self, app: FastAPI, gateway: Gateway) -> None:
        await limit(app, 2, Unit.REQUESTS, Period.MINUTE, (BudgetScope.USER, "*"))
        async with asyncio.timeout(30):
            await ask(gateway, user="charlie")
            with pytest.raises(TooFast) as error:
                await asyncio.gather(*(ask(gateway) for _ in range(5)))

        assert "Your limit is 2 requests a minute. Try again in" in error.value.message
        assert error.value.retry_after is not None
        assert 1 <= error.value.retry_after <= 60
        assert await ask(gateway, user="charlie"), "each person has a limit of their own"

    async def test_replies_at_once(self, app: FastAPI, gateway: Gateway) -> None:
        await limit(app, 1, Unit.REPLIES, Period.TOTAL, (BudgetScope.USER, "*"))
        heard = asyncio.Event()
        first = asyncio.create_task(ask(gateway, model="echo/echo-slow", on_word=heard.set))
        await heard.wait()

        with pytest.raises(TooFast, match="Your limit is 1 reply at once"):
            await ask(gateway)
        await first
        await gateway.flush()

        assert await ask(gateway)

    @pytest.mark.parametrize(
        ("scope", "subject", "unit", "told"),
        [
            (
                BudgetScope.WORKSPACE,
                "",
                Unit.REPLIES,
                "The limit for the whole workspace is 0 replies at once.",
            ),
            (BudgetScope.GROUP, "*", Unit.REPLIES, "The limit for the group Design is 0 replies at once."),
            (BudgetScope.MODEL, "*", Unit.REQUESTS, "The limit for the model echo/echo-fast is 0 requests a"),
        ],
    )
    async def test_what_is_shared_is_not_told_as_ones_own(
        self,
        app: FastAPI,
        gateway: Gateway,
        cast: Cast,
        scope: BudgetScope,
        subject: str,
        unit: Unit,
        told: str,
    ) -> None:
        async with app.state.database.writing() as session:
            design = await groups.create(session, "Design", OPERATOR)
            bob = await people.by_name(session, "bob")
            await memberships.put(session, design, bob, OPERATOR)
        await limit(app, 0, unit, Period.TOTAL if unit is Unit.REPLIES else Period.MINUTE, (scope, subject))

        sentence = await refusal(gateway, user=cast.bob.id)

        assert sentence.startswith(told)
        assert "or stop one" not in sentence, "it may be somebody else's"

    async def test_tokens_a_minute_do_not_cut_answers(self, app: FastAPI, gateway: Gateway) -> None:
        await limit(app, 100, Unit.TOKENS, Period.MINUTE)

        assert len((await ask(gateway, f"/long 500 {QUESTION}")).split()) > 500

    async def test_minutes_that_are_over_are_forgotten(
        self, app: FastAPI, gateway: Gateway, database: Database
    ) -> None:
        await limit(app, 5, Unit.REQUESTS, Period.MINUTE)
        await limit(app, 5, Unit.REQUESTS, Period.DAY)
        await ask(gateway)
        await gateway.flush()
        async with database.writing() as session:
            await session.execute(update(BudgetCounter).values(period_start=now() - timedelta(hours=2)))

        await gateway.keep_alive()

        async with database.reading() as session:
            assert len((await session.scalars(select(BudgetCounter))).all()) == 1
