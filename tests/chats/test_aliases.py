"""An alias in a conversation: the answer says who really wrote it, and the next one asks the alias again."""

from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.audit import COMMAND_LINE, Act
from app.catalog import aliases
from app.catalog.aliases import Share, Wish
from app.catalog.models import Connection, Model
from app.chats import accounting
from app.core.database import Database
from app.gateway.calls import Gateway
from app.usage.models import LedgerEntry
from tests.cast import Cast
from tests.chats.waiting import finished_replies


async def make(database: Database, *models: str) -> None:
    async with database.writing() as session:
        away = Connection(
            name="away", label="Away", kind="openai-compatible", base_url="http://127.0.0.1:9/v1"
        )
        session.add(away)
        await session.flush()
        session.add(Model(connection_id=away.id, name="gpt", display_name="GPT", is_enabled=True))
    async with database.writing() as session:
        await aliases.add(session, Wish("fast", tuple(map(Share, models))), Act(COMMAND_LINE))


async def test_the_answer_says_who_wrote_it_and_the_conversation_keeps_its_alias(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    await make(database, "away/gpt", echo)

    started = await cast.bob.client.post("/chats", data={"body": "Hello", "model": "fast", "key": ""})
    address = started.headers["location"]
    (reply,) = await finished_replies(cast.bob, address)
    chat = (await cast.bob.client.get(f"/api{address}")).json()

    assert (reply["status"], reply["model"]) == ("finished", echo)
    assert chat["model"] == "fast"
    gateway: Gateway = app.state.gateway
    await gateway.flush()
    async with database.reading() as session:
        asked = list(await session.scalars(select(LedgerEntry.connection).order_by(LedgerEntry.id)))
        assert await accounting.differences(session) == []
    assert asked == ["away", "echo"]
    page = (await cast.bob.client.get(address)).text
    assert 'value="fast"' in page


async def test_what_nobody_could_answer_says_why(cast: Cast, database: Database, echo: str) -> None:
    await make(database, "away/gpt")

    started = await cast.bob.client.post("/chats", data={"body": "Hello", "model": "fast", "key": ""})
    (reply,) = await finished_replies(cast.bob, started.headers["location"])

    assert reply["status"] == "failed"
    assert reply["error"]["code"] == "not_reachable"
