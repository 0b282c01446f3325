"""Calls that end badly, or cannot be stored: nothing is lost of what was said and paid for."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from app.chats import recorded_calls, recording
from app.chats.recorded_calls import Placed, Writing
from tests.cast import Visitor
from tests.providers.fake_server import FakeServer
from tests.v1.clients import ANTHROPIC, OLLAMA, OPENAI, Client
from tests.v1.conftest import Entries
from tests.v1.recording.conftest import BooksAgree, Said, Stored
from tests.v1.recording.programs import ECHO, asks
from tests.v1.vendors import CLAUDE, COMPATIBLE, Vendor


@pytest.mark.parametrize(("surface", "upstream"), [(OPENAI, COMPATIBLE), (ANTHROPIC, CLAUDE)])
async def test_an_answer_that_broke_off_is_kept_as_failed(
    client: Visitor,
    storing_key: str,
    vendor: FakeServer,
    surface: Client,
    upstream: Vendor,
    chats: Stored,
    said: Said,
    books_agree: BooksAgree,
) -> None:
    upstream.plays(vendor, upstream.cut_short)

    await asks(client, storing_key, surface, model=upstream.model, streaming=True)

    [chat] = await chats()
    [_, reply] = await said(chat)
    assert reply["status"] == "failed"
    assert "broke off" in reply["error"]["message"]
    assert reply["content"]
    assert reply["tokens_are_estimated"]
    await books_agree()


@pytest.mark.parametrize(("surface", "upstream"), [(OPENAI, COMPATIBLE), (OLLAMA, CLAUDE)])
async def test_of_a_client_that_leaves_is_kept_what_came(
    address: str,
    storing_key: str,
    vendor: FakeServer,
    surface: Client,
    upstream: Vendor,
    chats: Stored,
    said: Said,
    books_agree: BooksAgree,
) -> None:
    upstream.plays(vendor, upstream.stalling)
    body = surface.asking(upstream.model, streaming=True)

    async with (
        httpx.AsyncClient(base_url=address, headers={"x-api-key": storing_key}) as program,
        program.stream("POST", surface.path, json=body) as response,
    ):
        async for piece in response.aiter_text():
            if "Gr" in piece:
                break
    async with asyncio.timeout(5):
        await vendor.hung_up.wait()

    [chat] = await chats()
    [_, reply] = await said(chat)
    assert (reply["status"], reply["tokens_are_estimated"]) == ("stopped", True)
    assert reply["content"].startswith("Gr")
    await books_agree()


async def test_what_cannot_be_stored_is_answered_and_paid_for_all_the_same(
    client: Visitor,
    storing_key: str,
    chats: Stored,
    entries: Entries,
    books_agree: BooksAgree,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    title_from = recorded_calls.title_from
    monkeypatch.setattr(
        recorded_calls, "title_from", lambda text: None if "secret" in text else title_from(text)
    )

    responses = await asyncio.gather(
        *(asks(client, storing_key, OPENAI, text) for text in ("One", "A secret of the harbour", "Two"))
    )

    assert {response.status_code for response in responses} == {200}
    assert {chat["title"] for chat in await chats(2)} == {"One", "Two"}
    origins = [entry.origin.partition(":")[0] for entry in await entries()]
    assert sorted(origins) == ["api", "chat", "chat"]
    assert "secret" not in caplog.text
    await books_agree()


async def test_what_cannot_be_stored_just_now_is_stored_later(
    client: Visitor,
    storing_key: str,
    chats: Stored,
    books_agree: BooksAgree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[object] = []
    write = Writing.write

    async def fails_once(writing: Writing) -> list[Placed]:
        tries.append(writing)
        placed = await write(writing)
        if len(tries) == 1:
            raise OperationalError("", {}, Exception())
        return placed

    monkeypatch.setattr(Writing, "write", fails_once)
    monkeypatch.setattr(recording, "SECONDS_BETWEEN_TRIES", 0.01)

    await asks(client, storing_key, OPENAI)

    await chats()
    assert len(tries) == 2
    await books_agree()


async def test_what_was_passed_on_counts_to_what_waits(
    client: Visitor,
    storing_key: str,
    vendor: FakeServer,
    chats: Stored,
    entries: Entries,
    books_agree: BooksAgree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    COMPATIBLE.plays(vendor, COMPATIBLE.whole)
    room = 2 * (recording.BYTES_OF_A_RECORD + len("Deep?")) + len(COMPATIBLE.whole.body)
    monkeypatch.setattr(recording, "MOST_BYTES_WAITING", room)
    writing = asyncio.Event()
    write = Writing.write

    async def waits(one: Writing) -> list[Placed]:
        await writing.wait()
        return await write(one)

    monkeypatch.setattr(Writing, "write", waits)

    for _ in range(2):
        await asks(client, storing_key, OPENAI, "Deep?", model=COMPATIBLE.model)
    writing.set()

    await chats(1)
    assert len(await entries()) == 2
    await books_agree()


async def test_a_database_that_is_away_for_long_keeps_those_behind_no_hours(
    client: Visitor,
    storing_key: str,
    chats: Stored,
    entries: Entries,
    books_agree: BooksAgree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = 0
    is_away = True
    write = Writing.write

    async def fails(writing: Writing) -> list[Placed]:
        nonlocal tries
        tries += 1
        if is_away:
            raise OperationalError("", {}, Exception())
        return await write(writing)

    monkeypatch.setattr(Writing, "write", fails)
    monkeypatch.setattr(recording, "SECONDS_BETWEEN_TRIES", 0.001)

    await asyncio.gather(*(asks(client, storing_key, OPENAI, text) for text in ("One", "Two", "Three")))
    await chats(0)
    assert tries <= 2 * recording.MOST_TRIES + 3 * recording.TRIES_ALONE
    is_away = False
    await asks(client, storing_key, OPENAI, "Four")

    [chat] = await chats()
    assert chat["title"] == "Four"
    assert len(await entries()) == 4
    await books_agree()


async def test_what_fails_as_nobody_foresaw_keeps_nobody_waiting(
    app: FastAPI,
    client: Visitor,
    storing_key: str,
    chats: Stored,
    entries: Entries,
    books_agree: BooksAgree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(_: object) -> str:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(recorded_calls, "title_from", fails)
        await asks(client, storing_key, OPENAI, "One")
        await chats(0)
    await asks(client, storing_key, OPENAI, "Two")

    [chat] = await chats()
    assert chat["title"] == "Two"
    assert len(await entries()) == 2
    await books_agree()


async def test_a_server_that_stops_at_once_loses_no_cent(
    app: FastAPI, client: Visitor, storing_key: str, entries: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_away(*_: object) -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(Writing, "write", is_away)
    await asks(client, storing_key, OPENAI)
    assert await entries() == []

    await app.state.tasks.stop()
    app.state.recorder.close()

    [entry] = await entries()
    assert entry.output_tokens > 0


async def test_arguments_that_nobody_can_write_again_cost_nobody_their_words(
    client: Visitor, storing_key: str, chats: Stored, books_agree: BooksAgree
) -> None:
    deep = '{"a":' + "[" * 300 + "]" * 300 + "}"
    call = {"id": "c", "type": "function", "function": {"name": "clock", "arguments": deep}}
    messages = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "Noon"},
    ]
    body = {"model": ECHO, "messages": messages}

    answers = await asyncio.gather(
        client.post(OPENAI.path, json=body, headers={"x-api-key": storing_key}),
        asks(client, storing_key, OPENAI, "How deep is the harbour?"),
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "How deep is the harbour?" in {chat["title"] for chat in await chats(2)}
    await books_agree()
