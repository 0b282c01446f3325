"""A conversation over a real WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.chats import streaming
from app.chats.socket import GONE, NOT_TEXT, SIGNED_OUT, TOO_LARGE
from app.core.settings import Settings
from app.live.seats import Seats
from tests.cast import Cast, Person
from tests.waiting import SECONDS_TO_WAIT


@asynccontextmanager
async def opened(
    address: str, chat_id: str, query: str = "", **headers: str
) -> AsyncIterator[ClientConnection]:
    url = f"{address.replace('http', 'ws', 1)}/ws/chats/{chat_id}{query}"
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with connect(url, additional_headers=given, max_size=None) as socket:
        yield socket


@asynccontextmanager
async def browser(person: Person, address: str, chat_id: str) -> AsyncIterator[ClientConnection]:
    """As a page of ours opens it; the greeting was heard."""
    cookie = "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())
    async with opened(address, chat_id, cookie=cookie, origin=address) as socket:
        assert (await heard(socket))["event"] == "open"
        yield socket


async def key_of(person: Person, **rules: object) -> dict[str, str]:
    made = await person.client.post("/api/keys", json={"name": "Tools", "scopes": ["chat"], **rules})
    return dict(made.json())


async def heard(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), SECONDS_TO_WAIT)))


async def heard_until(socket: ClientConnection, *names: str) -> list[dict[str, Any]]:
    """All frames up to the first of these events."""
    frames = [await heard(socket)]
    while frames[-1]["event"] not in names:
        frames.append(await heard(socket))
    return frames


async def says(socket: ClientConnection, content: str, model: str = "", **more: object) -> None:
    await sends(socket, type="message", content=content, model=model, **more)


async def sends(socket: ClientConnection, **frame: object) -> None:
    await socket.send(json.dumps(frame))


async def closed_with(socket: ClientConnection) -> int:
    try:
        async with asyncio.timeout(SECONDS_TO_WAIT):
            while True:
                await socket.recv()
    except ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else 0


async def refusal(address: str, chat_id: str, query: str = "", **headers: str) -> tuple[int, str]:
    """Status and code of the answer to a handshake that fails."""
    with pytest.raises(InvalidStatus) as refused:
        async with opened(address, chat_id, query, **headers):
            pass
    response = refused.value.response
    return response.status_code, json.loads(response.body)["error"]["code"]


async def test_a_question_is_answered_in_frames(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser(cast.alice, address, chat.id) as socket:
        await says(socket, "How deep is the harbour?", echo)
        start, *deltas, done = await heard_until(socket, "done", "error")

    assert start["event"] == "start"
    assert {frame["message_id"] for frame in [*deltas, done]} == {start["data"]["reply"]["id"]}
    assert "".join(frame["data"]["text"] for frame in deltas) == done["data"]["content"]
    assert deltas[-1]["position"] == len(done["data"]["content"])
    listed = (await cast.alice.client.get(f"/api/chats/{chat.id}/messages")).json()["messages"]
    assert listed[-1] == done["data"]


async def test_a_reply_is_stopped(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser(cast.alice, address, chat.id) as socket:
        await says(socket, "/long 500 Tell me everything", "echo/echo-slow")
        frames = await heard_until(socket, "delta")
        await sends(socket, type="stop", message_id=frames[-1]["message_id"])
        done = (await heard_until(socket, "done"))[-1]

    assert done["data"]["status"] == "stopped"
    assert done["data"]["content"]


async def test_who_was_cut_off_goes_on_where_it_was(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()
    async with browser(cast.alice, address, chat.id) as socket:
        await says(socket, "/long 20 And then", "echo/echo")
        known = [frame for frame in await heard_until(socket, "delta") if frame["event"] == "delta"]

    async with browser(cast.alice, address, chat.id) as socket:
        place = {"message_id": known[-1]["message_id"], "position": known[-1]["position"]}
        await sends(socket, type="follow", **place)
        *rest, done = await heard_until(socket, "done")

    text = "".join(frame["data"]["text"] for frame in [*known, *rest])
    assert text == done["data"]["content"]


async def test_one_hears_what_is_said_elsewhere(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser(cast.alice, address, chat.id) as socket:
        await cast.alice.client.post(
            f"/chats/{chat.id}/messages", data={"body": "/slow Hello", "model": echo}
        )
        start, *_, done = await heard_until(socket, "done")

    assert start["data"]["question"]["content"] == "/slow Hello"
    assert "Hello" in done["data"]["content"]


async def test_the_same_message_is_said_once(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser(cast.alice, address, chat.id) as socket:
        for _ in range(2):
            await says(socket, "Only once", echo, key="mine")
            await heard_until(socket, "done")

    assert len((await cast.alice.client.get(f"/api/chats/{chat.id}/messages")).json()["messages"]) == 2


class TestComingIn:
    async def test_with_a_key_in_a_header(self, cast: Cast, echo: str, address: str) -> None:
        chat, key = await cast.alice.starts_a_chat(), await key_of(cast.alice)

        async with opened(address, chat.id, authorization=f"Bearer {key['secret']}") as socket:
            assert (await heard(socket))["data"]["chat"]["id"] == chat.id
        async with opened(address, chat.id, x_api_key=key["secret"]) as socket:
            assert (await heard(socket))["event"] == "open"

    async def test_with_a_ticket_once(self, cast: Cast, echo: str, address: str) -> None:
        chat = await cast.alice.starts_a_chat()
        query = f"?ticket={(await cast.alice.client.post('/api/tickets')).json()['ticket']}"

        async with opened(address, chat.id, query, origin="https://elsewhere.example") as socket:
            assert (await heard(socket))["event"] == "open"

        assert await refusal(address, chat.id, query) == (401, "ticket_not_good")

    async def test_a_key_in_the_address_opens_nothing(self, cast: Cast, address: str) -> None:
        chat, key = await cast.alice.starts_a_chat(), await key_of(cast.alice)

        for name in ("key", "api_key", "token", "x-api-key"):
            assert await refusal(address, chat.id, f"?{name}={key['secret']}") == (401, "not_signed_in")
        assert await refusal(address, chat.id, f"?ticket={key['secret']}") == (401, "ticket_not_good")

    async def test_another_site_cannot_use_a_browsers_cookie(self, cast: Cast, address: str) -> None:
        chat = await cast.alice.starts_a_chat()
        cookie = "; ".join(f"{name}={value}" for name, value in cast.alice.client.cookies.items())

        assert await refusal(address, chat.id, cookie=cookie, origin="https://evil.example") == (
            403,
            "forbidden",
        )
        assert await refusal(address, chat.id, cookie=cookie) == (403, "forbidden")

    async def test_strangers_and_others_learn_nothing(self, cast: Cast, address: str) -> None:
        chat = await cast.alice.starts_a_chat("Salaries")
        key = await key_of(cast.charlie)

        assert await refusal(address, chat.id) == (401, "not_signed_in")
        assert await refusal(address, chat.id, x_api_key=key["secret"]) == (404, "not_found")
        assert await refusal(address, "nonsense", x_api_key=key["secret"]) == (404, "not_found")
        assert await refusal(address, "%00", x_api_key=key["secret"]) == (404, "not_found")

    async def test_a_key_needs_the_scope(self, cast: Cast, address: str) -> None:
        chat = await cast.alice.starts_a_chat()
        made = await cast.alice.client.post("/api/keys", json={"name": "Vectors", "scopes": ["embeddings"]})

        assert await refusal(address, chat.id, x_api_key=made.json()["secret"]) == (403, "scope_missing")

    async def test_nobody_takes_all_seats(self, app: FastAPI, cast: Cast, address: str) -> None:
        app.state.seats = Seats(most=1)
        chat, key = await cast.alice.starts_a_chat(), await key_of(cast.alice)

        async with browser(cast.alice, address, chat.id):
            assert (await refusal(address, chat.id, x_api_key=key["secret"]))[0] == 429
        async with opened(address, chat.id, x_api_key=key["secret"]) as socket:
            assert (await heard(socket))["event"] == "open"


class TestGoing:
    async def test_a_revoked_key_ends_it_in_the_middle(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streaming, "SECONDS_BETWEEN_CHECKS", 1000)  # told at once, not found some time
        chat, key = await cast.alice.starts_a_chat(), await key_of(cast.alice)

        async with opened(address, chat.id, x_api_key=key["secret"]) as socket:
            await says(socket, "/long 500 On and on", "echo/echo-slow")
            await heard_until(socket, "delta")
            revoked = await cast.alice.client.delete(f"/api/keys/{key['id']}")
            assert revoked.is_success
            assert await closed_with(socket) == SIGNED_OUT

    async def test_whoever_logs_out_hangs_up(self, cast: Cast, echo: str, address: str) -> None:
        chat = await cast.bob.starts_a_chat()

        async with browser(cast.bob, address, chat.id) as socket:
            await cast.bob.client.post("/logout")
            assert await closed_with(socket) == SIGNED_OUT

    async def test_a_deleted_conversation_ends_it(self, cast: Cast, echo: str, address: str) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as socket:
            await cast.alice.client.delete(f"/api/chats/{chat.id}")
            assert await closed_with(socket) == GONE

    async def test_the_reply_goes_on_without_its_listener(self, cast: Cast, echo: str, address: str) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as socket:
            await says(socket, "/slow Good bye", echo)
            reply = (await heard_until(socket, "start"))[-1]["data"]["reply"]

        path = f"/api/chats/{chat.id}/messages/{reply['id']}"
        await cast.alice.client.get(f"{path}/stream")
        assert (await cast.alice.client.get(path)).json()["status"] == "finished"


class TestNonsense:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_request_bytes": 50_000})

    @pytest.mark.parametrize(
        "frame",
        [
            "",
            "{",
            "[]",
            "null",
            '{"type": "dance"}',
            '{"type": "message"}',
            '{"type": "message", "content": "   "}',
            '{"type": "message", "content": "\\u0000"}',
            '{"type": "message", "content": "x", "colour": "red"}',
            '{"type": "message", "content": "x", "images": ["%"]}',
            '{"type": "message", "content": "x", "model": "no/model"}',
            '{"type": "stop", "message_id": "nothing"}',
            '{"type": "follow", "message_id": "nothing", "position": 4}',
            '{"type": "follow", "message_id": "nothing", "position": -1}',
            "[" * 20_000,
        ],
    )
    async def test_it_is_refused_and_the_line_stays(
        self, cast: Cast, echo: str, address: str, frame: str
    ) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as socket:
            await socket.send(frame)
            frames = await heard_until(socket, "refused", "error")
            await says(socket, "Still there?", echo)
            done = (await heard_until(socket, "done"))[-1]

        assert frames[-1]["data"]
        assert "Still there?" in done["data"]["content"]

    async def test_frames_are_text_and_not_endless(self, cast: Cast, echo: str, address: str) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as socket:
            await socket.send(b"\x00\x01")
            assert await closed_with(socket) == NOT_TEXT
        async with browser(cast.alice, address, chat.id) as socket:
            await says(socket, "x" * 60_000, echo)
            assert await closed_with(socket) == TOO_LARGE

    async def test_a_message_of_another_chat_is_not_followed(
        self, cast: Cast, echo: str, address: str
    ) -> None:
        secret, chat = await cast.alice.starts_a_chat(), await cast.charlie.starts_a_chat()
        message = {"content": "The vault's number is 4711", "model": echo}
        exchange = await cast.alice.client.post(f"/api/chats/{secret.id}/messages", json=message)

        async with browser(cast.charlie, address, chat.id) as socket:
            for kind in ("follow", "stop"):
                await sends(socket, type=kind, message_id=exchange.json()["reply"]["id"])
                refused = await heard(socket)
                assert (refused["event"], refused["data"]["code"]) == ("refused", "not_found")
