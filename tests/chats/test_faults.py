"""What a reply comes to when something fails that nobody foresaw."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import OperationalError

from app.chats import jobs
from app.providers import echo as practice
from app.providers.events import Event, TextDelta
from tests.cast import Cast
from tests.chats.waiting import finished_replies


async def test_a_reply_that_cannot_be_begun_can_be_continued(
    cast: Cast, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OperationalError("select", {}, Exception("the server closed the connection"))

    with monkeypatch.context() as trouble:
        trouble.setattr(jobs, "place_of", fail)
        chat = await cast.alice.client.post("/chats", data={"body": "Are you there?", "model": echo})
        (reply,) = await finished_replies(cast.alice, chat.headers["location"])
    assert reply["status"] == "interrupted"

    address = f"/api{chat.headers['location']}/messages/{reply['id']}/continuation"
    await cast.alice.client.post(address)

    (reply,) = await finished_replies(cast.alice, chat.headers["location"])
    assert reply["status"] == "finished"


async def test_characters_that_no_database_takes_are_left_out(
    cast: Cast, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = practice._spoken

    async def with_nul(*given: object) -> AsyncIterator[Event]:
        yield TextDelta("No\x00thing. ")
        async for event in spoken(*given):  # type: ignore[arg-type]
            yield event

    monkeypatch.setattr(practice, "_spoken", with_nul)
    chat = await cast.alice.client.post("/chats", data={"body": "Hello", "model": echo})

    (reply,) = await finished_replies(cast.alice, chat.headers["location"])

    assert reply["content"].startswith("Nothing. ")
