"""An answer that was cut short goes on: what the model is told, and how long it took to write."""

import asyncio
from datetime import timedelta

import pytest

from app.chats.endings import Ended, Endings
from app.chats.models import Message
from app.core.database import Database
from app.providers import echo as practice
from app.providers.base import Request, Role
from tests.cast import Cast
from tests.chats.waiting import finished_replies


async def test_it_is_told_what_it_said_so_far(cast: Cast, echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []
    script_for = practice.script_for

    def overheard(request: Request, idle: float) -> practice.Script:
        asked.append(request)
        return script_for(request, idle)

    monkeypatch.setattr(practice, "script_for", overheard)
    chat = await cast.alice.client.post("/chats", data={"body": "/break One two three four", "model": echo})
    (cut_short,) = await finished_replies(cast.alice, chat.headers["location"])
    assert cut_short["content"]

    await cast.alice.client.post(f"/api{chat.headers['location']}/messages/{cut_short['id']}/continuation")

    (reply,) = await finished_replies(cast.alice, chat.headers["location"])
    told = [(turn.role, turn.text) for turn in asked[-1].turns]
    assert told[:2] == [(Role.USER, "/break One two three four"), (Role.ASSISTANT, cut_short["content"])]
    assert told[2][0] is Role.USER
    assert reply["content"].startswith(cut_short["content"])


async def test_a_pause_is_no_time_spent_writing(cast: Cast, echo: str, database: Database) -> None:
    chat = await cast.alice.client.post("/chats", data={"body": "/break One two three four", "model": echo})
    path = chat.headers["location"]
    (cut_short,) = await finished_replies(cast.alice, path)
    an_hour = timedelta(hours=1)
    async with database.writing() as session:
        before = await session.get_one(Message, cut_short["id"])
        took, waited = before.seconds_in_all, before.seconds_to_first_token
        assert took is not None
        assert waited is not None
        assert before.first_token_at is not None
        assert before.finished_at is not None
        before.created_at -= an_hour
        before.first_token_at -= an_hour
        before.finished_at -= an_hour

    # Slow enough to be saved while it is written, too.
    async with database.writing() as session:
        (await session.get_one(Message, cut_short["id"])).model = "echo/echo"
    await cast.alice.client.post(f"/api{path}/messages/{cut_short['id']}/continuation")
    (told,) = await finished_replies(cast.alice, path)

    async with database.reading() as session:
        reply = await session.get_one(Message, cut_short["id"])
    assert reply.seconds_in_all is not None
    assert took <= reply.seconds_in_all < took + 60
    assert reply.seconds_to_first_token == pytest.approx(waited)
    assert 3_600_000 <= told["paused_ms"] < 3_660_000
    assert "In all, without the pause" in (await cast.alice.client.get(path)).text


async def test_one_that_goes_on_the_moment_it_is_stored_can_still_be_stopped(
    cast: Cast, echo: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, may_end = Endings.store, asyncio.Event()

    async def store_and_dawdle(endings: Endings, ended: Ended) -> str | None:
        owner_id = await store(endings, ended)
        await may_end.wait()
        return owner_id

    monkeypatch.setattr(Endings, "store", store_and_dawdle)
    chat = await cast.alice.client.post("/chats", data={"body": "/break One two three four", "model": echo})
    path = chat.headers["location"]
    (cut_short,) = await finished_replies(cast.alice, path)
    async with database.writing() as session:
        (await session.get_one(Message, cut_short["id"])).model = "echo/echo-slow"

    await cast.alice.client.post(f"/api{path}/messages/{cut_short['id']}/continuation")
    may_end.set()
    await asyncio.sleep(0.1)
    await cast.alice.client.delete(f"/api{path}/replies/{cut_short['id']}")

    (reply,) = await finished_replies(cast.alice, path)
    assert reply["status"] == "stopped"
