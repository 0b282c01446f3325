"""What a person sees of budgets in a conversation: a warning before the end, and a sentence at the end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from app.accounts.audit import COMMAND_LINE, Act
from app.core.clock import now
from app.core.database import Database
from app.gateway.calls import Gateway
from app.providers import echo as practice
from app.providers.events import Event, TextDelta
from app.usage import budgets, prices
from app.usage.budgets import Limit
from app.usage.models import BudgetScope, Period, Unit
from app.usage.pricing import MILLION, Rates
from tests.cast import Cast
from tests.chats.waiting import finished_replies


async def limit(app: FastAPI, database: Database, amount: int, *, is_hard: bool = True) -> None:
    everybody = (BudgetScope.USER, "*")
    wanted = Limit(amount, is_hard=is_hard)
    async with database.writing() as session:
        await budgets.create(session, everybody, Unit.REQUESTS, Period.MONTH, wanted, Act(COMMAND_LINE))


async def asks(app: FastAPI, cast: Cast, model: str) -> str:
    """Bob's new conversation with one question, once it is answered and accounted for."""
    answer = await cast.bob.client.post("/chats", data={"body": "Hello", "model": model, "key": ""})
    address = answer.headers["location"]
    await finished_replies(cast.bob, address)
    gateway: Gateway = app.state.gateway
    await gateway.flush()
    return address


async def test_a_person_is_warned_told_and_goes_on(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    await limit(app, database, 2)
    address = await asks(app, cast, echo)
    assert "is used" not in (await cast.bob.client.get(address)).text, "half of it is left"

    address = await asks(app, cast, echo)
    page = (await cast.bob.client.get(address)).text
    assert "Your budget (2 requests a month) is spent; it starts again on" in page

    address = await asks(app, cast, echo)
    page = (await cast.bob.client.get(address)).text
    assert "The budget does not allow this" in page
    assert "Your monthly budget of 2 requests is spent." in page
    assert "Hello" in page, "what was asked is not lost"

    await cast.alice.client.get("/admin/budgets")
    async with database.writing() as session:
        (budget,) = await budgets.all_budgets(session)
        await budgets.change(session, budget, Limit(10), Act(COMMAND_LINE))
    address = await asks(app, cast, echo)
    (reply,) = await finished_replies(cast.bob, address)
    assert reply["status"] == "finished"
    assert "is used" not in (await cast.bob.client.get(address)).text


async def test_a_soft_limit_warns_and_refuses_nobody(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    await limit(app, database, 1, is_hard=False)
    await asks(app, cast, echo)
    address = await asks(app, cast, echo)

    (reply,) = await finished_replies(cast.bob, address)
    assert reply["status"] == "finished"
    assert "is spent" in (await cast.bob.client.get(address)).text
    assert "is spent" not in (await cast.alice.client.get("/")).text


async def test_warnings_and_refusals_speak_of_money_as_people_see_it(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    connection, _, model = echo.partition("/")
    rates = Rates(MILLION * MILLION, MILLION * MILLION)
    async with database.writing() as session:
        await prices.set_price(session, connection, model, rates, now(), Act(COMMAND_LINE))
    euro = {"code": "EUR", "rate": "0.5", "on": "2026-11-20"}
    await cast.alice.client.post("/admin/prices/currency", data=euro)
    await cast.bob.client.post("/usage/budget", data={"limit": "20"})

    page = (await cast.bob.client.get(await asks(app, cast, echo))).text

    assert "Your own cap of €20.00 a month has €20.00 left, and this can take €" in page
    assert "$" not in page.partition('class="thread"')[2].partition("composer")[0]


async def test_an_answer_that_does_not_end_where_it_is_paid_to_is_cut_off(
    app: FastAPI, cast: Cast, database: Database, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without_end(*_: object) -> AsyncIterator[Event]:
        while True:
            yield TextDelta("and so on ")
            await asyncio.sleep(0)

    monkeypatch.setattr(practice, "_spoken", without_end)
    wanted = Limit(1_000)
    async with database.writing() as session:
        each = (BudgetScope.USER, "*")
        await budgets.create(session, each, Unit.TOKENS, Period.MONTH, wanted, Act(COMMAND_LINE))

    address = await asks(app, cast, echo)

    (reply,) = await finished_replies(cast.bob, address)
    assert (reply["status"], reply["error"]["code"]) == ("stopped", "cut_off")
    assert reply["content"].startswith("and so on and so on")
    assert reply["tokens_are_estimated"]
    page = (await cast.bob.client.get(address)).text
    assert "This answer was cut off: a budget paid for" in page
    assert reply["input_tokens"] + reply["output_tokens"] <= 1_000
