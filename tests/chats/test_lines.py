"""Answers as lines of JSON, for programs that read no server-sent events."""

import json
from typing import Any

import httpx

from tests.cast import Cast, Person
from tests.chats.reading import browser_of, events_of

LINES = {"accept": "application/x-ndjson"}


async def lines_of(client: httpx.AsyncClient, chat_id: str, content: str, model: str) -> list[Any]:
    message = {"content": content, "model": model}
    path = f"/api/chats/{chat_id}/messages"
    async with client.stream("POST", path, json=message, headers=LINES) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        assert "content-encoding" not in response.headers
        return [json.loads(line) async for line in response.aiter_lines()]


async def test_a_question_is_answered_in_lines(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser_of(cast.alice, address) as client:
        start, *deltas, done = await lines_of(client, chat.id, "How deep is the harbour?", echo)

    assert (start["event"], done["event"]) == ("start", "done")
    assert {line["event"] for line in deltas} == {"delta"}
    assert "".join(line["data"]["text"] for line in deltas) == done["data"]["content"]
    assert deltas[-1]["position"] == len(done["data"]["content"])
    assert start["data"]["reply"]["id"] == done["data"]["id"]


async def test_a_failure_is_the_last_line(cast: Cast, echo: str, address: str) -> None:
    chat = await cast.alice.starts_a_chat()

    async with browser_of(cast.alice, address) as client:
        lines = await lines_of(client, chat.id, "/fail out_of_credit", echo)

    assert lines[-1]["event"] == "error"
    assert lines[-1]["data"]["error"]["code"] == "out_of_credit"


async def test_lines_and_events_go_on_from_the_same_position(cast: Cast, echo: str, address: str) -> None:
    reply = await answered(cast.alice, echo)
    path = f"/api/chats/{reply['chat']}/messages/{reply['id']}/stream"
    later = {"last-event-id": "5"}

    async with browser_of(cast.alice, address) as client:
        lines = [json.loads(line) async for line in (await stream(client, path, LINES | later)).aiter_lines()]
        events = [event async for event in events_of(await stream(client, path, later))]

    assert lines[0]["data"]["text"] == events[0].json["text"] == reply["content"][5:]
    assert str(lines[0]["position"]) == events[0].id


async def stream(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> httpx.Response:
    return await client.send(client.build_request("GET", path, headers=headers), stream=True)


async def answered(person: Person, model: str) -> dict[str, Any]:
    chat = await person.starts_a_chat()
    message = {"content": "How deep is the harbour?", "model": model}
    exchange = (await person.client.post(f"/api/chats/{chat.id}/messages", json=message)).json()
    return {**exchange["reply"], "chat": chat.id}
