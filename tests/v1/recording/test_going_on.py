"""Programs that send everything again with each call, and go on in one conversation."""

import asyncio

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from app.accounts.key_rules import Rules
from app.chats import recording
from app.chats.news import News, stream_of_owner
from app.chats.recorded_calls import Placed, Writing
from app.core.settings import Settings
from tests.cast import Cast, Visitor
from tests.providers.fake_server import Answer, FakeServer
from tests.v1.clients import OPENAI
from tests.v1.conftest import MakeKey
from tests.v1.recording.conftest import BooksAgree, Said, Stored
from tests.v1.recording.programs import Turns, asks, says
from tests.v1.vendors import COMPATIBLE


async def test_who_sends_everything_again_goes_on_in_one_conversation(
    client: Visitor, storing_key: str, chats: Stored, said: Said, books_agree: BooksAgree
) -> None:
    turns: Turns = [("system", "Be brief."), ("user", "Harbour?")]
    for question in ("How deep?", "How wide?", "And now?"):
        answer = await says(client, storing_key, turns)
        # Clients trim what they were told, and their instructions tell the time.
        turns = [("system", f"Be brief. {question}"), *turns[1:], ("assistant", f" {answer}\n")]
        turns.append(("user", question))
        [chat] = await chats()

    messages = await said(chat)
    assert [message["content"] for message in messages][::2] == ["Harbour?", "How deep?", "How wide?"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 3
    assert chat["system_prompt"] == "Be brief."
    await books_agree()


async def test_where_it_differs_it_branches(
    client: Visitor, storing_key: str, chats: Stored, said: Said, cast: Cast
) -> None:
    begun: Turns = [("user", "Harbour?")]
    begun.append(("assistant", await says(client, storing_key, begun)))
    await says(client, storing_key, [*begun, ("user", "How deep?")])
    await says(client, storing_key, [*begun, ("user", "How wide?")])

    [chat] = await chats()
    assert [message["content"] for message in await said(chat)][::2] == ["Harbour?", "How wide?"]
    page = await cast.bob.client.get(f"/chats/{chat['id']}")
    assert "2/2" in "".join(page.text.split())

    await says(client, storing_key, [*begun, ("user", "How wide?")])
    assert len(await chats()) == 1
    assert len(await said(chat)) == 4


async def test_who_asks_the_same_every_night_begins_anew(
    client: Visitor, storing_key: str, make_key: MakeKey, chats: Stored
) -> None:
    await says(client, storing_key, [("user", "News?")])
    answer = await says(client, storing_key, [("user", "News?")])
    await chats(2)

    other = await make_key(Rules(stores_calls=True))
    await says(client, other, [("user", "News?"), ("assistant", answer), ("user", "More?")])
    await chats(3)


async def test_a_deleted_conversation_stays_deleted(
    client: Visitor, storing_key: str, chats: Stored, cast: Cast
) -> None:
    begun: Turns = [("user", "Harbour?")]
    begun.append(("assistant", await says(client, storing_key, begun)))
    [first] = await chats()
    await cast.bob.client.delete(f"/api/chats/{first['id']}")

    await says(client, storing_key, [*begun, ("user", "How deep?")])

    [second] = await chats()
    assert second["id"] != first["id"]


async def test_who_tries_a_failed_question_again_goes_on_beside_it(
    client: Visitor, storing_key: str, vendor: FakeServer, chats: Stored, said: Said, books_agree: BooksAgree
) -> None:
    refused = Answer(status=400, body=b'{"error": {"message": "That cannot be done."}}')
    COMPATIBLE.plays(vendor, refused, COMPATIBLE.whole)

    first = await asks(client, storing_key, OPENAI, model=COMPATIBLE.model)
    [failed] = await chats()
    second = await asks(client, storing_key, OPENAI, model=COMPATIBLE.model)

    assert (first.status_code, second.status_code) == (400, 200)
    [chat] = await chats()
    assert chat["id"] == failed["id"]
    assert [message["status"] for message in await said(chat)] == ["finished", "finished"]
    await books_agree()


class TestOnPostgres:
    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_calls_become_conversations(
        self, client: Visitor, storing_key: str, chats: Stored, said: Said, books_agree: BooksAgree
    ) -> None:
        turns: Turns = [("user", "Harbour\0?")]
        for question in ("How deep?", "How wide?"):
            turns += [("assistant", await says(client, storing_key, turns)), ("user", question)]
            [chat] = await chats()

        assert [one["content"] for one in await said(chat)][::2] == ["Harbour?", "How deep?"]
        await books_agree()


async def test_calls_that_are_stored_together_go_on_in_one_conversation(
    client: Visitor,
    storing_key: str,
    chats: Stored,
    said: Said,
    books_agree: BooksAgree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    all_asked, write = asyncio.Event(), Writing.write

    async def writes_later(writing: Writing) -> list[Placed]:
        if not all_asked.is_set():
            raise OperationalError("", {}, Exception())
        return await write(writing)

    monkeypatch.setattr(Writing, "write", writes_later)
    monkeypatch.setattr(recording, "SECONDS_BETWEEN_TRIES", 0.01)
    turns: Turns = [("user", "Harbour?")]
    for question in ("How deep?", "How wide?", "And now?"):
        turns += [("assistant", await says(client, storing_key, turns)), ("user", question)]
    all_asked.set()

    [chat] = await chats()
    assert [one["content"] for one in await said(chat)][::2] == ["Harbour?", "How deep?", "How wide?"]
    await books_agree()


async def test_open_pages_hear_of_it(
    app: FastAPI, client: Visitor, storing_key: str, chats: Stored, cast: Cast
) -> None:
    begun: Turns = [("user", "Harbour?")]
    with app.state.hub.subscribe(stream_of_owner(cast.bob.id)) as heard:
        begun.append(("assistant", await says(client, storing_key, begun)))
        [chat] = await chats()
        for question in ("How deep?", "How wide?"):
            await says(client, storing_key, [*begun, ("user", question)])
            await chats()

        news = [await heard.next() for _ in range(3)]

    assert [one["news"] for one in news] == [News.CHAT_CHANGED, News.POSTED, News.BRANCH_CHANGED]
    assert {one["chat"] for one in news} == {chat["id"]}
