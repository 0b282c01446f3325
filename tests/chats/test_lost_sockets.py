"""Sockets whose other side is gone, or sends what no database stores; and whose database is away for a moment."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.chats import asking, dialogue, socket, streaming
from app.chats.dialogue import Dialogue
from app.core.settings import Settings
from app.live import tasks
from tests.cast import Cast
from tests.chats.test_socket import (
    browser,
    closed_with,
    heard,
    heard_until,
    key_of,
    opened,
    says,
    sends,
)
from tests.waiting import SECONDS_TO_WAIT


async def test_who_leaves_before_the_first_word_leaves_no_trace(
    cast: Cast, address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    greet, was_greeted = Dialogue.greet, asyncio.Event()

    async def greet_late(dialogue: Dialogue) -> None:
        await asyncio.sleep(0.2)
        try:
            await greet(dialogue)
        finally:
            was_greeted.set()

    monkeypatch.setattr(Dialogue, "greet", greet_late)
    chat = await cast.alice.starts_a_chat()
    key = await key_of(cast.alice)

    async with opened(address, chat.id, x_api_key=key["secret"]) as socket:
        socket.transport.abort()
    await asyncio.wait_for(was_greeted.wait(), SECONDS_TO_WAIT)
    await asyncio.sleep(0.1)

    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_who_leaves_in_the_middle_of_an_answer_leaves_no_trace(
    cast: Cast, address: str, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they said last is still being looked into, so that nobody notices yet."""
    valid, was_heard = socket.still_valid, asyncio.Event()
    failed: list[object] = []

    async def valid_in_a_while(*given: Any) -> bool:
        await asyncio.sleep(0.3)
        was_heard.set()
        return await valid(*given)

    monkeypatch.setattr(tasks, "log", SimpleNamespace(error=lambda *_, **told: failed.append(told)))
    chat = await cast.alice.starts_a_chat()

    async with browser(cast.alice, address, chat.id) as line:
        await says(line, "/long 300 On and on", "echo/echo")
        await heard_until(line, "delta")
        monkeypatch.setattr(socket, "still_valid", valid_in_a_while)
        await sends(line, type="follow", message_id="nothing")
        await asyncio.sleep(0.1)
        line.transport.abort()
    await asyncio.wait_for(was_heard.wait(), SECONDS_TO_WAIT)
    await asyncio.sleep(0.1)

    assert failed == []


class TestNothingIsMissed:
    async def test_what_begins_during_the_greeting_is_told(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        greet, chat = Dialogue.greet, await cast.alice.starts_a_chat()

        async def greet_slowly(dialogue: Dialogue) -> None:
            await greet(dialogue)
            await elsewhere(cast, chat.id, "Meanwhile", echo)

        monkeypatch.setattr(Dialogue, "greet", greet_slowly)

        async with browser(cast.alice, address, chat.id) as line:
            start, *_, done = await heard_until(line, "done")

        assert start["data"]["question"]["content"] == "Meanwhile"
        assert "Meanwhile" in done["data"]["content"]

    async def test_answers_that_came_faster_than_their_news_are_told_once_each(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell_begun, may_look = Dialogue._tell_begun, asyncio.Event()

        async def look_late(dialogue: Dialogue, named: str) -> None:
            await may_look.wait()
            await tell_begun(dialogue, named)

        monkeypatch.setattr(Dialogue, "_tell_begun", look_late)
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as line:
            for question in ("First", "Second"):
                await elsewhere(cast, chat.id, question, echo)
            may_look.set()
            ends = [(await heard_until(line, "done"))[-1] for _ in range(2)]
            await says(line, "Third", echo)
            after = await heard_until(line, "done")

        assert {"First", "Second"} == {
            word for word in ("First", "Second") for end in ends if word in end["data"]["content"]
        }
        assert [frame["data"]["question"]["content"] for frame in after if frame["event"] == "start"] == [
            "Third"
        ]

    async def test_what_one_says_is_told_however_much_is_followed(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dialogue, "MOST_FOLLOWED", 1)
        chat = await cast.alice.starts_a_chat()
        earlier = await elsewhere(cast, chat.id, "Earlier", echo)

        async with browser(cast.alice, address, chat.id) as line:
            await says(line, "/long 20 One", "echo/echo-slow")
            await heard_until(line, "start")
            await says(line, "Two", echo)
            await heard_until(line, "start")
            await sends(line, type="follow", message_id=earlier["reply"]["id"])
            frames = [frame for _ in range(2) for frame in await heard_until(line, "done")]

        [refused] = [frame for frame in frames if frame["event"] == "refused"]
        assert "being told already" in refused["data"]["message"]
        # Two is written when One has ended, but each is told by itself: which end is told first is open.
        ends = [frame["data"]["content"] for frame in frames if frame["event"] == "done"]
        assert {end.split()[0] for end in ends} == {"One", "Two"}


class TestWhileTheDatabaseIsAway:
    @pytest.fixture(autouse=True)
    def in_a_hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dialogue, "SECONDS_BETWEEN_TRIES", 0.01)

    async def test_what_is_said_elsewhere_is_told_when_it_is_back(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as line:
            fails_twice(monkeypatch, dialogue, "chat_of")
            await elsewhere(cast, chat.id, "Hello", echo)
            done = (await heard_until(line, "done"))[-1]

        assert "Hello" in done["data"]["content"]

    async def test_the_end_of_an_answer_is_told_when_it_is_back(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as line:
            fails_twice(monkeypatch, asking, "whole_reply")
            await says(line, "How deep is the harbour?", echo)
            _, *deltas, done = await heard_until(line, "done")

        assert "".join(frame["data"]["text"] for frame in deltas) == done["data"]["content"]

    async def test_what_is_asked_for_is_refused_and_the_line_stays(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as line:
            fails_twice(monkeypatch, socket, "still_valid")
            for _ in range(2):
                await says(line, "Are you there?", echo)
                refused = await heard(line)
                assert (refused["event"], refused["data"]["code"]) == ("refused", "unavailable")
            await says(line, "And now?", echo)
            done = (await heard_until(line, "done"))[-1]

        assert "And now?" in done["data"]["content"]

    async def test_the_line_stays_for_a_while(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streaming, "SECONDS_BETWEEN_CHECKS", 0.02)
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as line:
            fails_for_ever(monkeypatch, streaming, "still_valid")
            await says(line, "/long 20 Still there?", "echo/echo-slow")
            assert (await heard_until(line, "done"))[-1]["data"]["content"]
            monkeypatch.setattr(streaming, "SECONDS_UNCHECKED", 0)
            assert await closed_with(line) == socket.FAILING

    async def test_who_was_shown_out_does_not_stay(
        self, cast: Cast, echo: str, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chat, key = await cast.alice.starts_a_chat(), await key_of(cast.alice)

        async with opened(address, chat.id, x_api_key=key["secret"]) as line:
            assert (await heard(line))["event"] == "open"
            fails_for_ever(monkeypatch, streaming, "still_valid")
            await cast.alice.client.delete(f"/api/keys/{key['id']}")
            assert await closed_with(line) == socket.FAILING


async def elsewhere(cast: Cast, chat_id: str, question: str, model: str) -> dict[str, Any]:
    """Alice asks through another door, and has her answer."""
    said = await cast.alice.client.post(
        f"/api/chats/{chat_id}/messages", json={"content": question, "model": model}
    )
    return dict(said.json())


def fails_twice(monkeypatch: pytest.MonkeyPatch, room: object, name: str) -> None:
    work, left = getattr(room, name), [away(), away()]

    async def try_to(*given: Any, **named: Any) -> object:
        if left:
            raise left.pop()
        return await work(*given, **named)

    monkeypatch.setattr(room, name, try_to)


def fails_for_ever(monkeypatch: pytest.MonkeyPatch, room: object, name: str) -> None:
    async def fail(*_: object) -> None:
        raise away()

    monkeypatch.setattr(room, name, fail)


def away() -> OperationalError:
    return OperationalError("select", {}, Exception("the server closed the connection"))


class TestOnPostgres:
    """It refuses zero bytes, which SQLite takes."""

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    @pytest.mark.parametrize(
        "frame",
        [
            {"type": "message", "content": "Hello", "model": "no\x00thing"},
            {"type": "message", "content": "Hello", "key": "no\x00thing"},
            {"type": "stop", "message_id": "no\x00thing"},
            {"type": "follow", "message_id": "no\x00thing"},
        ],
    )
    async def test_what_cannot_be_stored_is_refused_and_the_line_stays(
        self, cast: Cast, echo: str, address: str, frame: dict[str, str]
    ) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as socket:
            await sends(socket, **frame)
            refused = (await heard_until(socket, "refused"))[-1]
            await says(socket, "Still there?", echo)
            done = (await heard_until(socket, "done"))[-1]

        assert "cannot be stored" in refused["data"]["message"]
        assert "Still there?" in done["data"]["content"]
