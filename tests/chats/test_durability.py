"""Never lose a word: crashes, restarts and several processes, with real servers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.accounts import api_keys
from app.accounts.audit import Act
from app.accounts.models import User, UserRole
from app.catalog.models import Connection, Model
from app.chats import endings
from app.core.crypto import load_secrets
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import BASE_URL, PASSWORD_HASH, Cast
from tests.chats.reading import events_of
from tests.chats.waiting import finished_replies
from tests.conftest import LiveServer, StartServer
from tests.waiting import SECONDS_TO_WAIT

STREAM = {"accept": "text/event-stream"}
LONG = "/long 400 The tide comes in."


@asynccontextmanager
async def installed(settings: Settings) -> AsyncIterator[str]:
    """An account and Echo in the database that the settings name; gives a personal key."""
    database = Database(settings.resolved_database_url)
    async with database.writing() as session:
        alice = User(
            username="alice",
            name="Alice",
            email="alice@example.org",
            role=UserRole.ADMINISTRATOR,
            password_hash=PASSWORD_HASH,
        )
        connection = Connection(name="echo", label="Echo", kind="echo")
        session.add_all([alice, connection])
        await session.flush()
        session.add(Model(connection_id=connection.id, name="echo", display_name="Echo", is_enabled=True))
        key = await api_keys.create(
            session, alice, load_secrets(settings).signing_key, Act(alice), name="story"
        )
    yield key.secret
    await database.close()


def client_of(server: LiveServer, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, headers={"authorization": f"Bearer {key}"}, timeout=60)


async def starts_a_long_answer(client: httpx.AsyncClient) -> tuple[str, str, str]:
    """Returns the chat's id, the reply's id, and what of it was heard in about a second."""
    chat_id = (await client.post("/api/chats", json={"model": "echo/echo"})).json()["id"]
    heard = ""
    async with client.stream(
        "POST", f"/api/chats/{chat_id}/messages", json={"content": LONG}, headers=STREAM
    ) as response:
        events = events_of(response)
        reply_id = (await anext(events)).json["reply"]["id"]
        while len(heard.split()) < 60:
            heard += (await anext(events)).json["text"]
    return chat_id, reply_id, heard


async def messages_of(client: httpx.AsyncClient, chat_id: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await client.get(f"/api/chats/{chat_id}/messages")).json()["messages"]
    return messages


async def test_a_killed_server_loses_no_question_and_at_most_a_second_of_an_answer(
    settings: Settings, start_server: StartServer
) -> None:
    async with installed(settings) as key:
        server = start_server()
        async with client_of(server, key) as client:
            chat_id, reply_id, heard = await starts_a_long_answer(client)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()

        async with client_of(start_server(), key) as client:
            question, reply = await messages_of(client, chat_id)
            await client.post(f"/api/chats/{chat_id}/messages/{reply_id}/continuation")
            stopped_at = len(reply["content"])
            address = f"/api/chats/{chat_id}/messages/{reply_id}/stream"
            async with client.stream("GET", address, headers={"last-event-id": str(stopped_at)}) as response:
                events = [event async for event in events_of(response)]

    assert question["content"] == LONG
    assert reply["status"] == "interrupted"
    assert reply["content"]
    assert heard.startswith(reply["content"]) or reply["content"].startswith(heard)
    # Echo says fifty words a second, and what is written is saved twice a second.
    assert len(heard.split()) - len(reply["content"].split()) <= 50
    assert events[-1].json["status"] == "finished"
    assert events[-1].json["content"].startswith(reply["content"])
    assert len(events[-1].json["content"]) > stopped_at


async def test_a_server_that_is_stopped_saves_what_runs(
    settings: Settings, start_server: StartServer
) -> None:
    async with installed(settings) as key:
        server = start_server(SHUTDOWN_GRACE="0.2")
        async with client_of(server, key) as client:
            chat_id, _, heard = await starts_a_long_answer(client)
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.process.wait, SECONDS_TO_WAIT)

        async with client_of(start_server(), key) as client:
            _, reply = await messages_of(client, chat_id)

    assert reply["status"] == "interrupted"
    assert reply["content"].startswith(heard)


async def test_two_processes_are_one_server(
    settings: Settings, start_server: StartServer, postgres_with_tables: str
) -> None:
    settings = settings.model_copy(update={"database_url": postgres_with_tables})
    settings.__dict__.pop("resolved_database_url", None)
    async with installed(settings) as key:
        servers = [start_server(DATABASE_URL=postgres_with_tables) for _ in range(2)]
        async with client_of(servers[0], key) as here, client_of(servers[1], key) as there:
            chat_id, reply_id, heard = await starts_a_long_answer(here)
            address = f"/api/chats/{chat_id}/messages/{reply_id}/stream"
            async with there.stream("GET", address, headers={"last-event-id": str(len(heard))}) as response:
                events = events_of(response)
                resumed = (await anext(events)).json["text"]
                await there.delete(f"/api/chats/{chat_id}/replies/{reply_id}")
                rest = [event async for event in events]

    ending = rest[-1].json
    followed = heard + resumed + "".join(event.json["text"] for event in rest[:-1])
    assert ending["status"] == "stopped"
    assert followed == ending["content"]
    assert len(ending["content"].split()) < 300


async def test_looking_at_a_page_writes_nothing(
    app: FastAPI, cast: Cast, echo: str, database: Database
) -> None:
    started = await cast.alice.client.post("/chats", data={"body": "Hello", "model": echo})
    address = started.headers["location"]
    await finished_replies(cast.alice, address)
    await app.state.gateway.flush()
    written: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE")):
            written.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    for path in (
        "/",
        address,
        f"/api{address}",
        f"/api{address}/messages",
        "/api/chats",
        "/sidebar?before=1-x",
    ):
        assert (await cast.alice.client.get(path)).status_code == 200
    read = list(written)
    await cast.alice.client.post(f"{address}/title", data={"title": "A change"})

    assert read == []
    assert written, "a change is noticed"


async def test_a_reply_that_nobody_can_store_costs_no_other_its_words(
    app: FastAPI, cast: Cast, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text_of = endings._text

    def stumbling(ended: endings.Ended) -> dict[str, object]:
        if "stumble" in ended.live.content:
            raise OverflowError("whatever nobody foresaw")
        return text_of(ended)

    monkeypatch.setattr(endings, "_text", stumbling)
    chats = [await cast.alice.starts_a_chat() for _ in range(2)]
    asking = [
        cast.alice.client.post(
            f"/api/chats/{chat.id}/messages",
            json={"content": words},
            headers={"accept": "application/json", "origin": BASE_URL},
        )
        for chat, words in zip(chats, ("Words that stumble", "Words that stay"), strict=True)
    ]

    _, stays = [asyncio.create_task(one) for one in asking]
    answered = (await asyncio.wait_for(stays, SECONDS_TO_WAIT)).json()["reply"]

    assert answered["status"] == "finished"
    assert "Words that stay" in answered["content"]


async def test_a_server_that_stops_waits_for_what_is_being_stored(
    app: FastAPI, cast: Cast, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, is_begun, is_stored = endings.Endings._write, asyncio.Event(), asyncio.Event()

    async def write_slowly(storing: endings.Endings, batch: Sequence[endings.Ended]) -> dict[str, str]:
        is_begun.set()
        await asyncio.sleep(0.3)
        owners = await write(storing, batch)
        is_stored.set()
        return owners

    monkeypatch.setattr(endings.Endings, "_write", write_slowly)
    await cast.alice.client.post("/chats", data={"body": "Hello", "model": echo})
    await asyncio.wait_for(is_begun.wait(), SECONDS_TO_WAIT)

    await app.state.replies.drain(0.0)

    assert is_stored.is_set()
