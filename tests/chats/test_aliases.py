"""An alias in a conversation: the answer says who really wrote it, and the next one asks the alias again."""

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.audit import COMMAND_LINE, Act
from app.catalog import aliases
from app.catalog.aliases import Share, WantedAlias
from app.catalog.models import Connection, Model
from app.chats import accounting
from app.core.database import Database
from app.gateway.calls import Gateway
from app.usage.models import LedgerEntry
from tests.cast import Cast
from tests.chats.test_keys import key_of_bob, script_with
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
        await aliases.add(session, WantedAlias("fast", tuple(map(Share, models))), Act(COMMAND_LINE))


async def connections_asked(app: FastAPI, database: Database) -> list[str]:
    gateway: Gateway = app.state.gateway
    await gateway.flush()
    async with database.reading() as session:
        return list(await session.scalars(select(LedgerEntry.connection).order_by(LedgerEntry.id)))


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
    assert await connections_asked(app, database) == ["away", "echo"]
    async with database.reading() as session:
        assert await accounting.differences(session) == []
    page = (await cast.bob.client.get(address)).text
    assert 'value="fast"' in page


async def test_what_nobody_could_answer_says_why(cast: Cast, database: Database, echo: str) -> None:
    await make(database, "away/gpt")

    started = await cast.bob.client.post("/chats", data={"body": "Hello", "model": "fast", "key": ""})
    (reply,) = await finished_replies(cast.bob, started.headers["location"])

    assert reply["status"] == "failed"
    assert reply["error"]["code"] == "not_reachable"


@pytest.mark.parametrize(
    ("allowed", "asked", "status"),
    [
        ("echo/echo-fast", ["echo"], "finished"),
        ("away/gpt", ["away"], "failed"),
        ("fast", ["away", "echo"], "finished"),
    ],
)
async def test_of_an_alias_a_key_asks_only_what_it_is_kept_to(
    app: FastAPI, cast: Cast, database: Database, echo: str, allowed: str, asked: list[str], status: str
) -> None:
    await make(database, "away/gpt", echo)
    script = await script_with(app, await key_of_bob(cast, models=[allowed]))
    chat = (await script.post("/api/chats", json={"model": "fast"})).json()["id"]

    answer = await script.post(f"/api/chats/{chat}/messages", json={"content": "Hello"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["reply"]["status"] == status
    assert await connections_asked(app, database) == asked
    again = await script.post(f"/api/chats/{chat}/messages/{answer.json()['reply']['id']}/variants", json={})
    assert again.status_code == 201


async def test_a_key_for_none_of_its_models_is_refused_an_alias(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    await make(database, "away/gpt", echo)
    script = await script_with(app, await key_of_bob(cast, models=["echo/echo-slow"]))
    chat = (await script.post("/api/chats", json={"model": "fast"})).json()["id"]

    for model in ("fast", "nothing"):
        refused = await script.post(f"/api/chats/{chat}/messages", json={"content": "Hi", "model": model})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
    assert await connections_asked(app, database) == []
