"""Messages that are sent again, because the answer to sending them was lost: nothing is stored twice, or let go."""

import asyncio
import re
from typing import Any

import pytest

from app.core.database import Database
from app.core.settings import Settings
from tests.cast import HTMX, Cast, Person
from tests.chats.test_images import JPEG, PNG, encoded, widen
from tests.chats.test_socket import browser, heard, heard_until, says

KEY = "a name of its own"


async def said(person: Person, chat_id: str) -> list[str]:
    """What people said in a conversation."""
    messages = (await person.client.get(f"/api/chats/{chat_id}/messages")).json()["messages"]
    return [message["content"] for message in messages if message["role"] == "user"]


class TestOtherWords:
    async def test_programs_are_told_to_take_another_key(self, cast: Cast, echo: str) -> None:
        chat = await cast.alice.starts_a_chat()
        address = f"/api/chats/{chat.id}/messages"
        await cast.alice.client.post(address, json={"content": "At seven", "model": echo, "key": KEY})

        refused = await cast.alice.client.post(address, json={"content": "At eight", "key": KEY})
        kept = await cast.alice.client.post(address, json={"content": "At eight", "key": "another"})

        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "key_taken")
        assert "Choose another key" in refused.json()["error"]["message"]
        assert kept.status_code == 200
        assert await said(cast.alice, chat.id) == ["At seven", "At eight"]

    async def test_a_socket_tells_the_same(self, cast: Cast, echo: str, address: str) -> None:
        chat = await cast.alice.starts_a_chat()

        async with browser(cast.alice, address, chat.id) as socket:
            await says(socket, "At seven", echo, key=KEY)
            await heard_until(socket, "done")
            await says(socket, "At eight", echo, key=KEY)
            refused = await heard(socket)

        assert (refused["event"], refused["data"]["code"]) == ("refused", "key_taken")
        assert await said(cast.alice, chat.id) == ["At seven"]

    async def test_a_page_keeps_them_in_the_box(self, cast: Cast, echo: str) -> None:
        first = {"body": "At seven", "model": echo, "key": KEY}
        begun = (await cast.alice.client.post("/chats", data=first)).headers["location"]
        other = {**first, "body": "At eight"}

        for address in ("/chats", f"{begun}/messages"):
            refused = await cast.alice.client.post(address, data=other, headers=HTMX)
            assert refused.status_code == 409, "what is not stored stays in the box"

        assert await said(cast.alice, begun.removeprefix("/chats/")) == ["At seven"]

    async def test_without_scripts_they_are_shown_ready_to_be_sent(self, cast: Cast, echo: str) -> None:
        first = {"body": "At seven", "model": echo, "key": KEY}
        begun = (await cast.alice.client.post("/chats", data=first)).headers["location"]
        other = {**first, "body": "At eight"}

        refused = await cast.alice.client.post(f"{begun}/messages", data=other)
        key = re.search(r'name="key" value="([^"]+)"', refused.text)
        assert key is not None
        assert "At eight" in refused.text
        again = await cast.alice.client.post(f"{begun}/messages", data={**other, "key": key[1]})

        assert (refused.status_code, again.status_code) == (409, 303)
        assert await said(cast.alice, begun.removeprefix("/chats/")) == ["At seven", "At eight"]

    async def test_other_images_make_another_message(self, cast: Cast, echo: str, database: Database) -> None:
        await widen(database, echo)
        chat = await cast.alice.starts_a_chat()

        async def asks(*images: bytes) -> Any:
            message = {"content": "And this?", "key": KEY, "images": [encoded(image) for image in images]}
            return await cast.alice.client.post(
                f"/api/chats/{chat.id}/messages", json={**message, "model": echo}
            )

        first, same = await asks(PNG, JPEG), await asks(PNG, JPEG)
        others = [await asks(*images) for images in [(), (PNG,), (JPEG, PNG), (PNG, JPEG, JPEG)]]

        assert (first.status_code, same.status_code) == (200, 200)
        assert same.json()["question"]["id"] == first.json()["question"]["id"]
        assert [other.status_code for other in others] == [409] * 4
        assert await said(cast.alice, chat.id) == ["And this?"]


class TestWithRoomForOneAnswer:
    """A message is found stored also while its own answer takes all the room that there is."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_running_replies": 1})

    async def test_by_the_page_that_began_a_conversation(self, cast: Cast, echo: str) -> None:
        message = {"body": "/slow /long 200 Hello", "model": echo, "key": KEY}

        first, again = [await cast.bob.client.post("/chats", data=message) for _ in range(2)]
        new = await cast.bob.client.post("/chats", data={**message, "key": "another"})

        assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
        assert new.status_code == 429

    async def test_by_the_page_of_a_conversation(self, cast: Cast, echo: str) -> None:
        chat = await cast.bob.starts_a_chat()
        address = f"/chats/{chat.id}/messages"
        message = {"body": "/slow /long 200 Hello", "model": echo, "key": KEY}

        first, again = [await cast.bob.client.post(address, data=message, headers=HTMX) for _ in range(2)]
        new = await cast.bob.client.post(address, data={**message, "key": "another"}, headers=HTMX)

        assert [response.status_code for response in (first, again, new)] == [200, 200, 429]
        assert len(await said(cast.bob, chat.id)) == 1

    async def test_by_a_program(self, cast: Cast, echo: str) -> None:
        chat = await cast.bob.starts_a_chat()
        address = f"/chats/{chat.id}/messages"
        words = "/slow /long 5 Hello"
        await cast.bob.client.post(address, data={"body": words, "model": echo, "key": KEY})

        again = cast.bob.client.post(f"/api{address}", json={"content": words, "model": echo, "key": KEY})
        new = cast.bob.client.post(f"/api{address}", json={"content": words, "model": echo, "key": "another"})
        refused, found = await asyncio.gather(new, again)

        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_replies")
        assert (found.status_code, found.json()["reply"]["status"]) == (200, "finished")
        assert await said(cast.bob, chat.id) == [words]

    async def test_over_a_socket(self, cast: Cast, echo: str, address: str) -> None:
        chat = await cast.bob.starts_a_chat()
        words = "/slow /long 200 Hello"

        async with browser(cast.bob, address, chat.id) as socket:
            await says(socket, words, echo, key=KEY)
            first = await heard(socket)
            await says(socket, words, echo, key=KEY)
            again = (await heard_until(socket, "start", "refused"))[-1]
            await says(socket, words, echo, key="another")
            new = (await heard_until(socket, "refused"))[-1]

        assert again["event"] == "start", again
        assert again["message_id"] == first["message_id"]
        assert new["data"]["code"] == "too_many_replies"
