"""One message that is sent several times at the same moment, by an impatient finger or a line that stammers."""

import asyncio

import pytest
from sqlalchemy import func, select

from app.chats.models import Chat, Message
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import Cast


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "sqlite":
        return settings
    return settings.model_copy(update={"database_url": request.getfixturevalue("postgres_with_tables")})


async def test_it_begins_one_conversation(cast: Cast, database: Database, echo: str) -> None:
    message = {"body": "Only once, please.", "model": echo, "key": "a name of its own"}

    answers = await asyncio.gather(*(cast.alice.client.post("/chats", data=message) for _ in range(6)))

    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {
        (303, answers[0].headers["location"])
    }
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Chat)) == 1
        assert await session.scalar(select(func.count()).select_from(Message)) == 2


async def test_it_stands_once_in_its_conversation(cast: Cast, echo: str) -> None:
    chat = await cast.alice.starts_a_chat()
    messages = f"/api/chats/{chat.id}/messages"
    message = {"content": "Only once, please.", "model": echo, "key": "a name of its own"}

    answers = await asyncio.gather(*(cast.alice.client.post(messages, json=message) for _ in range(6)))

    assert len({answer.json()["question"]["id"] for answer in answers}) == 1
    assert len((await cast.alice.client.get(messages)).json()["messages"]) == 2
