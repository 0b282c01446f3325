"""Sockets where several processes serve: what is said, stopped or opened through one is known at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from websockets.exceptions import InvalidStatus

from app.accounts import api_keys
from app.accounts.audit import Act
from app.accounts.models import User
from app.chats.socket import GONE, SIGNED_OUT
from app.core import migrations
from app.core.crypto import load_secrets
from app.core.database import Database
from app.core.settings import Settings
from tests.chats.test_durability import LONG, installed
from tests.chats.test_socket import closed_with, heard, heard_until, opened, refusal, says, sends
from tests.postgres import PostgresServer
from tests.system.serving import environment_in, starting


@dataclass
class Desk:
    """Alice's program: her key, and a client for each process that serves her."""

    installation: Settings
    key: str
    clients: list[httpx.AsyncClient]

    @property
    def headers(self) -> dict[str, str]:
        return {"x_api_key": self.key}

    @property
    def addresses(self) -> list[str]:
        return [str(client.base_url).rstrip("/") for client in self.clients]

    async def starts_a_chat(self) -> str:
        made = await self.clients[0].post("/api/chats", json={"model": "echo/echo"})
        return str(made.json()["id"])

    async def makes_another_key(self) -> api_keys.NewKey:
        database = Database(self.installation.resolved_database_url)
        signing_key = load_secrets(self.installation).signing_key
        async with database.writing() as session:
            alice = (await session.scalars(select(User))).one()
            made = await api_keys.create(session, alice, signing_key, Act(alice), name="Tools")
        await database.close()
        return made


@pytest.fixture(scope="module")
async def desk(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Desk]:
    """Two processes with an address each, so that a story can say which; the stories share them."""
    folder, url = tmp_path_factory.mktemp("desk"), postgres_server.new_database()
    installation = Settings(data_dir=folder, database_url=url, _env_file=None)
    migrations.upgrade(installation)
    environment = environment_in(folder) | {"DATABASE_URL": url}
    async with installed(installation) as key, AsyncExitStack() as clients:
        with starting(environment) as start:
            started = [start() for _ in range(2)]
            opened = [await clients.enter_async_context(client_of(each.url, key)) for each in started]
            yield Desk(installation, key, opened)


def client_of(url: str, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=bearer(key), timeout=60)


async def test_what_is_said_and_stopped_through_another_process_is_heard(desk: Desk) -> None:
    chat_id = await desk.starts_a_chat()
    here, there = desk.addresses[0], desk.clients[1]

    async with opened(here, chat_id, **desk.headers) as socket:
        assert (await heard(socket))["event"] == "open"
        # Answered when the reply is whole.
        saying = asyncio.create_task(there.post(f"/api/chats/{chat_id}/messages", json={"content": LONG}))
        start, *deltas = await heard_until(socket, "delta")
        stopped = await there.delete(f"/api/chats/{chat_id}/replies/{start['message_id']}")
        *more, done = await heard_until(socket, "done", "error")
        said = (await saying).json()

    assert stopped.is_success
    assert start["event"] == "start"
    assert start["data"]["question"] == said["question"]
    assert done["data"] == said["reply"]
    assert done["data"]["status"] == "stopped"
    assert text_of([*deltas, *more]) == done["data"]["content"]


async def test_two_sockets_of_two_processes_are_one_conversation(desk: Desk) -> None:
    chat_id = await desk.starts_a_chat()
    here, there = desk.addresses

    async with opened(here, chat_id, **desk.headers) as mine, opened(there, chat_id, **desk.headers) as other:
        for socket in (mine, other):
            assert (await heard(socket))["event"] == "open"
        await says(mine, LONG)
        frames = await asyncio.gather(heard_until(mine, "delta"), heard_until(other, "delta"))
        await sends(other, type="stop", message_id=frames[1][-1]["message_id"])
        rest = await asyncio.gather(heard_until(mine, "done", "error"), heard_until(other, "done", "error"))

    for begun, ended in zip(frames, rest, strict=True):
        assert begun[0]["data"] == frames[0][0]["data"], "the same question and reply"
        assert ended[-1]["data"] == rest[0][-1]["data"]
        assert ended[-1]["data"]["status"] == "stopped"
        assert text_of([*begun, *ended]) == ended[-1]["data"]["content"]


async def test_who_was_cut_off_goes_on_at_another_process(desk: Desk) -> None:
    chat_id = await desk.starts_a_chat()
    here, there = desk.addresses
    async with opened(here, chat_id, **desk.headers) as socket:
        await says(socket, "/long 60 And then")
        known = await heard_until(socket, "delta")

    async with opened(there, chat_id, **desk.headers) as socket:
        opening = await heard(socket)
        place = {"message_id": known[-1]["message_id"], "position": known[-1]["position"]}
        await sends(socket, type="follow", **place)
        *rest, done = await heard_until(socket, "done", "error")

    assert opening["data"]["running"] == [known[-1]["message_id"]]
    assert done["data"]["status"] == "finished"
    assert text_of([*known, *rest]) == done["data"]["content"]


async def test_a_ticket_opens_one_socket_at_whatever_process(desk: Desk) -> None:
    chat_id = await desk.starts_a_chat()
    one, other = [(await desk.clients[0].post("/api/tickets")).json()["ticket"] for _ in range(2)]

    async with opened(desk.addresses[1], chat_id, f"?ticket={one}") as socket:
        assert (await heard(socket))["event"] == "open"
    at_once = await asyncio.gather(*(opens(address, chat_id, other) for address in desk.addresses * 3))

    assert sum(at_once) == 1
    for address in desk.addresses:
        assert await refusal(address, chat_id, f"?ticket={one}") == (401, "ticket_not_good")


async def test_who_ends_a_key_or_a_conversation_elsewhere_ends_the_socket(desk: Desk) -> None:
    chat_id, doomed, key = (
        await desk.starts_a_chat(),
        await desk.starts_a_chat(),
        await desk.makes_another_key(),
    )
    here, there = desk.addresses[0], desk.clients[1]

    async with (
        opened(here, chat_id, x_api_key=key.secret) as with_key,
        opened(here, doomed, **desk.headers) as of_doomed,
    ):
        for socket in (with_key, of_doomed):
            assert (await heard(socket))["event"] == "open"
        assert (await there.delete(f"/api/chats/{doomed}")).is_success
        assert await closed_with(of_doomed) == GONE
        # A key may always end itself.
        assert (await there.delete(f"/api/keys/{key.row.id}", headers=bearer(key.secret))).is_success
        assert await closed_with(with_key) == SIGNED_OUT
    assert await refusal(here, chat_id, x_api_key=key.secret) == (401, "key_revoked")


async def test_behind_one_address_everybody_hears_the_same(desk: Desk) -> None:
    environment = environment_in(desk.installation.data_dir)
    with starting(environment | {"DATABASE_URL": desk.installation.database_url}) as start:
        async with AsyncExitStack() as sockets:
            address, chat_id = start("--workers", "4").url, await desk.starts_a_chat()
            lines = [
                await sockets.enter_async_context(opened(address, chat_id, **desk.headers)) for _ in range(12)
            ]
            for line in lines:
                assert (await heard(line))["event"] == "open"
            await says(lines[0], "/long 60 How deep is the harbour?")
            told = await asyncio.gather(*(heard_until(line, "done", "error") for line in lines))

    for frames in told:
        assert frames[-1]["data"] == told[0][-1]["data"]
        assert text_of(frames) == frames[-1]["data"]["content"]


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def opens(address: str, chat_id: str, ticket: str) -> bool:
    try:
        async with opened(address, chat_id, f"?ticket={ticket}") as socket:
            return bool((await heard(socket))["event"] == "open")
    except InvalidStatus:
        return False


def text_of(frames: list[dict[str, Any]]) -> str:
    return "".join(frame["data"]["text"] for frame in frames if frame["event"] == "delta")
