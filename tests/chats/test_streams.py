"""Replies as they grow: joined, left, resumed and stopped from anywhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.cast import Cast
from tests.chats.reading import Event, browser_of, events_of

STREAM = {"accept": "text/event-stream"}
LONG = "one two three four five six seven eight nine ten"


@asynccontextmanager
async def answered(
    client: httpx.AsyncClient, chat_id: str, message: dict[str, str]
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events that answer this message, as they come; whoever leaves the block hangs up."""
    async with client.stream(
        "POST", f"/api/chats/{chat_id}/messages", json=message, headers=STREAM
    ) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield events_of(response)


async def asked(client: httpx.AsyncClient, chat_id: str, question: str, model: str) -> list[Event]:
    async with answered(client, chat_id, {"content": question, "model": model}) as events:
        return [event async for event in events]


async def test_an_answer_streams_as_start_deltas_and_done(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser_of(cast.alice, address) as client:
        events = await asked(client, chat.id, LONG, echo)

    assert events[0].name == "start"
    assert events[0].json["reply"]["status"] == "pending"
    assert events[-1].name == "done"
    assert {event.name for event in events[1:-1]} == {"delta"}
    assert "".join(event.json["text"] for event in events[1:-1]) == events[-1].json["content"]


async def test_a_failure_streams_as_error(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser_of(cast.alice, address) as client:
        events = await asked(client, chat.id, "/fail overloaded", echo)

    assert events[-1].name == "error"
    assert events[-1].json["status"] == "failed"
    assert events[-1].json["error"]["message"]


async def test_going_away_stops_nothing_and_coming_back_repeats_nothing(
    cast: Cast, echo: str, address: str
) -> None:
    chat = await cast.alice.starts_a_chat()
    message = {"content": LONG, "model": "echo/echo"}

    async with browser_of(cast.alice, address) as client:
        async with answered(client, chat.id, message) as events:
            reply_id = (await anext(events)).json["reply"]["id"]
            heard = await anext(events)
        resumed = {"last-event-id": heard.id}
        async with client.stream(
            "GET", f"/api/chats/{chat.id}/messages/{reply_id}/stream", headers=resumed
        ) as response:
            rest = [event async for event in events_of(response)]

    assert rest[-1].name == "done"
    assert rest[-1].json["status"] == "finished"
    resumed_text = "".join(event.json["text"] for event in rest if event.name == "delta")
    assert heard.json["text"] + resumed_text == rest[-1].json["content"]


async def test_stop_keeps_what_was_said(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()
    message = {"content": f"/long 200 {LONG}", "model": "echo/echo"}

    async with (
        browser_of(cast.alice, address) as client,
        answered(client, chat.id, message) as events,
    ):
        reply_id = (await anext(events)).json["reply"]["id"]
        await anext(events)
        stopped = await client.delete(f"/api/chats/{chat.id}/replies/{reply_id}")
        last = [event async for event in events][-1]

    assert stopped.status_code == 204
    assert last.json["status"] == "stopped"
    assert last.json["content"]
    assert last.json["error"] is None
    assert last.json["output_tokens"] > 0
    assert last.json["tokens_are_estimated"]


async def test_a_question_asked_meanwhile_waits_for_its_turn(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser_of(cast.alice, address) as client:
        first, second = await asyncio.gather(
            asked(client, chat.id, LONG, "echo/echo"), asked(client, chat.id, "And then?", echo)
        )

    assert first[-1].json["status"] == second[-1].json["status"] == "finished"
    listed = (await cast.alice.client.get(f"/api/chats/{chat.id}/messages")).json()["messages"]
    assert [message["role"] for message in listed] == ["user", "assistant"] * 2
    replies = [message for message in listed if message["role"] == "assistant"]
    assert replies[0]["finished_at"] <= replies[1]["first_token_at"]


async def test_signing_out_ends_open_streams(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()
    message = {"content": f"/long 5000 {LONG}", "model": "echo/echo"}

    async with (
        browser_of(cast.alice, address) as client,
        answered(client, chat.id, message) as events,
    ):
        reply_id = (await anext(events)).json["reply"]["id"]
        signed_out = await client.post("/logout")
        assert signed_out.status_code == 303, signed_out.text
        rest = [event async for event in events]

    assert all(event.name == "delta" for event in rest)
    refused = await cast.alice.client.get(f"/api/chats/{chat.id}/messages/{reply_id}")
    assert refused.status_code in (401, 404)


async def test_a_conversation_that_is_deleted_while_it_answers_ends_its_stream(
    cast: Cast, echo: str, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    chat = await cast.alice.starts_a_chat()
    message = {"content": LONG, "model": "echo/echo-slow"}

    async with browser_of(cast.alice, address) as client:
        async with answered(client, chat.id, message) as events:
            reply_id = (await anext(events)).json["reply"]["id"]
        async with client.stream("GET", f"/chats/{chat.id}/messages/{reply_id}/stream") as response:
            shown = events_of(response)
            await anext(shown)
            await cast.alice.client.delete(f"/api/chats/{chat.id}")
            rest = [event async for event in shown]

    assert not [event for event in rest if f'#message-{reply_id}"' in event.data]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
