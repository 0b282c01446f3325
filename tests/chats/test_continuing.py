"""What a model is told when it is to go on with an answer that was cut short."""

import pytest

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
