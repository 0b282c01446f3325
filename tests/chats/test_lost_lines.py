"""Pages whose line to the server broke, or whose server died: what they are told when they are back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from app.chats.checkpoints import DEAD_AFTER
from app.chats.models import Message, MessageStatus
from app.chats.news import News, tell
from app.core.clock import now
from app.core.database import Database
from app.live.hub import LONGEST_QUEUE
from tests.cast import Cast, StartedChat
from tests.chats.reading import Event, browser_of, events_of


async def abandoned(database: Database, chat: StartedChat) -> str:
    """A reply that another process was writing, and writes no more; its id."""
    async with database.writing() as session:
        reply = Message(
            chat_id=chat.id,
            role="assistant",
            model="echo/echo",
            content="Half of it",
            status=MessageStatus.STREAMING,
            heartbeat_at=now() - DEAD_AFTER - timedelta(seconds=1),
        )
        session.add(reply)
        await session.flush()
        return reply.id


async def next_of(events: AsyncIterator[Event], words: str) -> Event:
    async for event in events:
        if words in event.data:
            return event
    raise AssertionError(f"The stream ended before it said {words!r}.")


async def test_a_reader_outlasts_a_database_that_was_away(
    app: FastAPI, cast: Cast, echo: str, database: Database, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await cast.alice.starts_a_chat()
    reply_id = await abandoned(database, chat)
    broadcasts = app.state.replies.broadcasts
    read, failures = broadcasts._read_checkpoint, []

    async def read_in_the_end(asked_id: str) -> Any:
        if len(failures) < 2:
            failures.append(asked_id)
            raise OperationalError("SELECT", {}, Exception("The database is away."))
        return await read(asked_id)

    monkeypatch.setattr(broadcasts, "_read_checkpoint", read_in_the_end)

    async with (
        browser_of(cast.alice, address) as client,
        client.stream("GET", f"/chats/{chat.id}/messages/{reply_id}/stream") as response,
    ):
        ending = await next_of(events_of(response), "Interrupted")

    assert len(failures) == 2
    assert "Half of it" in ending.data


async def test_open_pages_hear_that_a_reply_was_given_up(
    app: FastAPI, cast: Cast, echo: str, database: Database, address: str
) -> None:
    chat = await cast.alice.starts_a_chat()
    await abandoned(database, chat)

    async with browser_of(cast.alice, address) as client, client.stream("GET", "/live") as response:
        events = events_of(response)
        await app.state.replies._mark_interrupted()
        link = await next_of(events, f"chat-link-{chat.id}")

    assert "being written" not in link.data


@pytest.mark.parametrize("path", ["/live", "/chats/{id}/live"])
async def test_who_is_back_sees_the_whole_list(cast: Cast, echo: str, address: str, path: str) -> None:
    chat = await cast.alice.starts_a_chat()
    path = path.format(id=chat.id)
    async with browser_of(cast.alice, address) as client:
        place = await first_line(client, path)
        elsewhere = await cast.alice.starts_a_chat("Begun on another device")
        async with client.stream("GET", path, headers={"last-event-id": place}) as response:
            update = await next_of(events_of(response), "sidebar-lists")

    assert elsewhere.title in update.data


async def first_line(client: httpx.AsyncClient, path: str) -> str:
    """The place that a stream names before anything else."""
    async with client.stream("GET", path) as response:
        async for line in response.aiter_lines():
            field, _, value = line.partition(": ")
            assert field == "id"
            return value
    raise AssertionError("Nothing came.")


async def test_an_open_page_that_cannot_keep_up_gets_all_conversations_anew(
    app: FastAPI, cast: Cast, echo: str, address: str
) -> None:
    chats = [await cast.alice.starts_a_chat() for _ in range(2)]

    async with browser_of(cast.alice, address) as client, client.stream("GET", "/live") as response:
        events = events_of(response)
        await anext(events)
        for _ in range(LONGEST_QUEUE + 1):
            tell(app.state.hub, cast.alice.id, chats[0].id, News.POSTED)
        anew = await next_of(events, "sidebar-lists")

    assert all(f"chat-link-{chat.id}" in anew.data for chat in chats)
    assert "deleted" not in anew.data
