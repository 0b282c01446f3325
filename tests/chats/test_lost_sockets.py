"""Sockets whose other side is gone, or sends what no database stores."""

import asyncio

import pytest

from app.chats.dialogue import Dialogue
from app.core.settings import Settings
from tests.cast import Cast
from tests.chats.test_socket import browser, heard_until, key_of, opened, says, sends
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
