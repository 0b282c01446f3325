"""Conversations with a key: only what it is for, and not a second longer than it is good."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.accounts.audit import Act
from app.accounts.models import ApiKey
from app.chats import streaming
from app.chats.models import Message, MessageRole, MessageStatus
from app.chats.socket import SIGNED_OUT
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.usage import prices
from app.usage.pricing import Rates
from tests.cast import Cast, Visitor
from tests.chats.reading import events_of
from tests.chats.test_socket import closed_with, opened
from tests.waiting import until

STREAM = {"accept": "text/event-stream"}
LONG = "/long 2000 The tide comes in."


@dataclass(frozen=True)
class Key:
    id: str
    secret: str

    @property
    def header(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}


async def key_of_bob(cast: Cast, **rules: object) -> Key:
    made = await cast.bob.client.post("/api/keys", json={"name": "Script"} | rules)
    assert made.status_code == 201, made.text
    return Key(made.json()["id"], made.json()["secret"])


async def script_with(app: FastAPI, key: Key) -> Visitor:
    script = Visitor(app)
    script.headers.update(key.header)
    return script


async def test_a_key_for_something_else_opens_no_conversation(app: FastAPI, cast: Cast, echo: str) -> None:
    chat = await cast.bob.starts_a_chat()
    script = await script_with(app, await key_of_bob(cast, scopes=["usage", "embeddings"]))

    for method, path in (
        ("GET", "/api/chats"),
        ("POST", "/api/chats"),
        ("GET", f"/api/chats/{chat.id}"),
        ("GET", f"/api/chats/{chat.id}/messages"),
        ("POST", f"/api/chats/{chat.id}/messages"),
    ):
        response = await script.request(method, path, json={"content": "hello"} if method == "POST" else None)
        assert (response.status_code, response.json()["error"]["code"]) == (403, "scope_missing"), path


async def test_a_key_asks_only_the_models_it_is_kept_to(app: FastAPI, cast: Cast, echo: str) -> None:
    script = await script_with(app, await key_of_bob(cast, models=["echo/echo-fast"]))
    listed = (await script.get("/api/models")).json()["models"]
    assert [model["id"] for model in listed] == ["echo/echo-fast"]
    chat = (await script.post("/api/chats", json={"model": echo})).json()["id"]

    allowed = await script.post(f"/api/chats/{chat}/messages", json={"content": "hello"})
    refused = await script.post(
        f"/api/chats/{chat}/messages", json={"content": "hello", "model": "echo/echo-slow"}
    )
    reply = allowed.json()["reply"]["id"]
    variant = await script.post(
        f"/api/chats/{chat}/messages/{reply}/variants", json={"model": "echo/echo-slow"}
    )

    assert allowed.status_code == 200
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
    assert "echo/echo-slow" in refused.json()["error"]["message"]
    assert variant.status_code == 403
    messages = (await script.get(f"/api/chats/{chat}/messages")).json()["messages"]
    assert len(messages) == 2, "what is refused is not stored"


async def test_a_chat_left_on_another_model_cannot_be_gone_on_with(
    app: FastAPI, cast: Cast, echo: str
) -> None:
    chat = (await cast.bob.client.post("/api/chats", json={"model": "echo/echo-slow"})).json()["id"]
    script = await script_with(app, await key_of_bob(cast, models=["echo/echo-fast"]))

    refused = await script.post(f"/api/chats/{chat}/messages", json={"content": "hello"})

    assert refused.json()["error"]["code"] == "model_not_allowed"


async def test_a_limit_of_the_key_holds(app: FastAPI, cast: Cast, database: Database, echo: str) -> None:
    async with database.writing() as session:
        rates = Rates(input=1_000_000, output=1_000_000)
        await prices.set_price(session, "echo", "echo-fast", rates, now(), Act("command line"))
    key = await key_of_bob(cast, monthly_limit=0)
    script = await script_with(app, key)
    chat = (await script.post("/api/chats", json={"model": echo})).json()["id"]

    answer = (await script.post(f"/api/chats/{chat}/messages", json={"content": "hello"})).json()

    assert answer["reply"]["error"], answer
    assert "This key's own limit of $0.00 a month" in answer["reply"]["error"]["message"]


async def test_who_waits_with_a_key_that_is_revoked_meanwhile_does_not_get_the_answer(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    chat = await cast.bob.starts_a_chat()
    key = await key_of_bob(cast)
    script = await script_with(app, key)
    path, said = (
        f"/api/chats/{chat.id}/messages",
        {"content": "/slow /long 8 Tides", "key": "1", "model": echo},
    )
    asked = asyncio.create_task(cast.bob.client.post(path, json=said))
    await until(lambda: _is_being_written(database))

    waiting = asyncio.create_task(script.post(path, json=said))
    await asyncio.sleep(0.3)
    await cast.bob.client.delete(f"/api/keys/{key.id}")
    refused = await waiting

    assert (await asked).json()["reply"]["status"] == "finished", "it was not the key's to end"
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "key_revoked")


async def _is_being_written(database: Database) -> bool:
    async with database.reading() as session:
        return (
            await session.scalar(select(Message.id).where(Message.role == MessageRole.ASSISTANT)) is not None
        )


class TestRevoked:
    """In the middle of an answer, at a real server."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"shutdown_grace": 0.0})

    @pytest.mark.parametrize("how", ["by its owner", "by an administrator who disables the account"])
    async def test_the_stream_and_the_answer_end_in_the_middle(
        self,
        cast: Cast,
        database: Database,
        echo: str,
        address: str,
        monkeypatch: pytest.MonkeyPatch,
        how: str,
    ) -> None:
        monkeypatch.setattr(streaming, "SECONDS_BETWEEN_CHECKS", 1000)  # told at once, not found some time
        key = await key_of_bob(cast)
        async with httpx.AsyncClient(base_url=address, headers=key.header, timeout=60) as script:
            chat = (await script.post("/api/chats", json={"model": "echo/echo"})).json()["id"]
            path = f"/api/chats/{chat}/messages"
            async with script.stream("POST", path, json={"content": LONG}, headers=STREAM) as response:
                events = events_of(response)
                for _ in range(5):
                    last = await anext(events)
                assert last.name == "delta"

                if how == "by its owner":
                    await cast.bob.client.delete(f"/api/keys/{key.id}")
                else:
                    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/disable")
                async with asyncio.timeout(60):
                    names = [event.name async for event in events]

            assert (await script.get(f"/api/chats/{chat}")).status_code == 401
        reply = await until(lambda: ended_reply(database, chat))
        assert reply.status == MessageStatus.STOPPED
        assert reply.content, "what was said is kept"
        assert "error" not in names


async def test_a_key_that_expires_takes_stream_socket_and_answer_along(
    cast: Cast, database: Database, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "SECONDS_BETWEEN_CHECKS", 1000)
    key, chat = await key_of_bob(cast), await cast.bob.starts_a_chat()
    # Echo stalls: nothing else would end it.
    question = {"content": "/stall one two three four", "model": echo}
    async with database.writing() as session:
        await session.execute(update(ApiKey).values(expires_at=now() + timedelta(seconds=3)))

    async with (
        httpx.AsyncClient(base_url=address, headers=key.header, timeout=60) as script,
        opened(address, chat.id, **key.header) as socket,
        asyncio.timeout(60),
    ):
        path = f"/api/chats/{chat.id}/messages"
        told = await script.post(path, json=question, headers=STREAM)
        assert await closed_with(socket) == SIGNED_OUT
        refused = await script.get(f"/api/chats/{chat.id}")

    reply = await until(lambda: ended_reply(database, chat.id), seconds=60)
    assert "event: delta" in told.text
    assert refused.json()["error"]["code"] == "key_expired"
    assert reply.status == MessageStatus.STOPPED
    assert reply.content, "what was said is kept"


async def ended_reply(database: Database, chat_id: str) -> Message | None:
    async with database.reading() as session:
        is_reply = (Message.chat_id == chat_id, Message.role == MessageRole.ASSISTANT)
        reply = (await session.scalars(select(Message).where(*is_reply))).one()
    return None if reply.is_running else reply
