"""How many answers are written for one person at the same time."""

import httpx
import pytest
from fastapi import FastAPI

from app.accounts.audit import COMMAND_LINE, Act
from app.core.database import Database
from app.core.settings import Settings
from app.usage import budgets
from app.usage.budgets import Limit
from app.usage.models import BudgetScope, Period, Unit
from tests.cast import Cast, Person


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_running_replies": 2})


async def asks(person: Person, model: str) -> httpx.Response:
    return await person.client.post("/chats", data={"body": "/slow /long 200 Hello", "model": model})


async def test_two_answers_at_once_are_enough_for_one_person(cast: Cast, echo: str) -> None:
    first, *others = [await asks(cast.bob, echo) for _ in range(3)]

    assert [response.status_code for response in (first, *others)] == [303, 303, 429]
    assert "2 answers are being written for you already" in others[-1].text
    assert (await asks(cast.charlie, echo)).status_code == 303, "others have answers of their own"


async def test_one_that_is_stopped_makes_room(cast: Cast, echo: str) -> None:
    address, _ = [(await asks(cast.bob, echo)).headers["location"] for _ in range(2)]
    question, reply = (await cast.bob.client.get(f"/api{address}/messages")).json()["messages"]
    refused = await cast.bob.client.post(f"/api{address}/messages", json={"content": "More", "model": echo})

    await cast.bob.client.delete(f"/api{address}/replies/{reply['id']}")
    await cast.bob.client.get(f"/api{address}/messages/{reply['id']}/stream")

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_replies")
    assert (await asks(cast.bob, echo)).status_code == 303
    assert question["content"].endswith("Hello")


async def test_a_budget_of_running_answers_decides_alone(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    everybody = (BudgetScope.USER, "*")
    async with database.writing() as session:
        await budgets.create(session, everybody, Unit.REPLIES, Period.TOTAL, Limit(50), Act(COMMAND_LINE))

    assert [(await asks(cast.bob, echo)).status_code for _ in range(4)] == [303] * 4
