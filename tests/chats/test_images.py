"""Images with a question: checked, told to models that see, shown to their owner, erased with their question."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.catalog.models import Model
from app.chats import erasing
from app.chats.images import LARGEST_IMAGE, LEFT_OUT, MOST_IMAGES
from app.chats.models import Chat, MessageImage
from app.core.clock import now
from app.core.database import Database
from app.providers.base import Request
from tests.cast import Cast, Person, StartedChat
from tests.providers.test_pictures import canvas, jpeg, png

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of a boat"
JPEG = b"\xff\xd8\xff\xe0" + b"a photograph of a lamp"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + b"a drawing"
GIF = b"GIF89a" + b"a moving cat"


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


async def asks(person: Person, chat: StartedChat, model: str, *images: str) -> Any:
    message = {"content": "What is this?", "model": model, "images": images}
    return await person.client.post(f"/api/chats/{chat.id}/messages", json=message)


@pytest.fixture
def told(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that the gateway was asked to make."""
    requests: list[Request] = []
    opened = app.state.gateway.open

    def open_and_note(call: Any) -> Any:
        requests.append(call.request)
        return opened(call)

    monkeypatch.setattr(app.state.gateway, "open", open_and_note)
    return requests


async def test_a_model_sees_what_was_sent(
    cast: Cast, echo: str, told: list[Request], database: Database
) -> None:
    await widen(database, echo)
    chat = await cast.alice.starts_a_chat()

    response = await asks(cast.alice, chat, echo, encoded(PNG), f"data:image/png;base64,{encoded(JPEG)}")
    await cast.alice.client.post(f"/api/chats/{chat.id}/messages", json={"content": "And now?"})

    assert response.json()["reply"]["status"] == "finished", response.text
    images = response.json()["question"]["images"]
    assert [image["media_type"] for image in images] == ["image/png", "image/jpeg"], "by their first bytes"
    assert [image.data for image in told[0].turns[-1].all_images] == [PNG, JPEG]
    assert [image.data for image in told[1].turns[0].all_images] == [PNG, JPEG], "it is remembered"


async def widen(database: Database, full_name: str) -> None:
    """Images take room: more than the practice models of these stories have."""
    async with database.writing() as session:
        name = full_name.partition("/")[2]
        model = await session.scalar(select(Model).where(Model.name == name))
        assert model is not None
        model.context_window = 32_768


async def test_only_the_owner_sees_the_picture(cast: Cast, echo: str) -> None:
    chat = await cast.alice.starts_a_chat()
    question = (await asks(cast.alice, chat, echo, encoded(WEBP))).json()["question"]
    path = f"/chats/{chat.id}/messages/{question['id']}/images/{question['images'][0]['id']}"

    page = await cast.alice.client.get(f"/chats/{chat.id}")
    shown = await cast.alice.client.get(path)

    assert f'src="{path}"' in page.text
    assert (shown.content, shown.headers["content-type"]) == (WEBP, "image/webp")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["cache-control"].startswith("private")
    assert (await cast.alice.client.get(f"/api{path}")).content == WEBP
    for prefix in ("", "/api"):
        assert (await cast.bob.client.get(prefix + path)).status_code == 404
    listed = (await cast.alice.client.get(f"/api/chats/{chat.id}/messages")).json()["messages"]
    assert listed[0]["images"] == question["images"]


async def test_an_image_is_found_only_at_its_own_message(cast: Cast, echo: str) -> None:
    alices, bobs = await cast.alice.starts_a_chat(), await cast.bob.starts_a_chat()
    image = (await asks(cast.alice, alices, echo, encoded(PNG))).json()["question"]["images"][0]
    question = (await asks(cast.bob, bobs, echo)).json()["question"]

    path = f"/chats/{bobs.id}/messages/{question['id']}/images/{image['id']}"

    assert (await cast.bob.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (["nonsense!"], "base64"),
        ([""], "JPEG"),
        ([encoded(GIF)], "JPEG, a PNG or a WebP"),
        ([encoded(b"<svg onload=alert(1)>")], "JPEG"),
        (["https://example.org/cat.png"], "base64"),
        ([encoded(PNG + b"x" * LARGEST_IMAGE)], "5 MB"),
        ([encoded(PNG)] * (MOST_IMAGES + 1), "at most 8"),
        ([encoded(png(60_000, 60_000))], "is 60,000 × 60,000 pixels large"),
        ([encoded(PNG), encoded(jpeg(16_385, 1))], "at most 16,384 on each side"),
        ([encoded(canvas(16_000, 16_000))], "100 million in all"),
    ],
)
async def test_what_is_no_image_is_refused(cast: Cast, echo: str, images: list[str], said: str) -> None:
    chat = await cast.alice.starts_a_chat()

    response = await asks(cast.alice, chat, echo, *images)

    assert response.status_code == 422
    assert said in response.json()["error"]["message"]
    assert response.json()["error"]["field"].startswith("images")
    assert (await cast.alice.client.get(f"/api/chats/{chat.id}/messages")).json()["messages"] == []


async def test_a_large_photograph_is_taken(cast: Cast, echo: str, database: Database) -> None:
    await widen(database, echo)
    chat = await cast.alice.starts_a_chat()

    response = await asks(cast.alice, chat, echo, encoded(jpeg(12_000, 8_000)))

    assert response.json()["reply"]["status"] == "finished", response.text


@pytest.fixture
async def blind(echo: str, database: Database) -> str:
    """A model that is known to see no images."""
    async with database.writing() as session:
        model = await session.scalar(select(Model).where(Model.name == "echo"))
        assert model is not None
        model.vision = False
    return "echo/echo"


class TestAModelWithoutEyes:
    async def test_it_is_not_asked(self, cast: Cast, blind: str) -> None:
        chat = await cast.alice.starts_a_chat()

        response = await asks(cast.alice, chat, blind, encoded(PNG))

        assert response.status_code == 422
        assert response.json()["error"]["code"] == "no_vision"
        assert "Choose a model that can" in response.json()["error"]["message"]

    async def test_it_goes_on_in_a_conversation_with_images(
        self, cast: Cast, echo: str, blind: str, told: list[Request]
    ) -> None:
        chat = await cast.alice.starts_a_chat()
        await asks(cast.alice, chat, echo, encoded(PNG))

        answer = await asks(cast.alice, chat, blind)

        assert answer.json()["reply"]["status"] == "finished"
        assert not told[-1].turns[0].all_images
        assert LEFT_OUT in told[-1].turns[0].text, "and is told that there was one"

    async def test_another_answer_of_it_says_why_not(self, cast: Cast, echo: str, blind: str) -> None:
        chat = await cast.alice.starts_a_chat()
        reply = (await asks(cast.alice, chat, echo, encoded(PNG))).json()["reply"]
        path = f"/api/chats/{chat.id}/messages"

        variant = (
            await cast.alice.client.post(f"{path}/{reply['id']}/variants", json={"model": blind})
        ).json()
        await cast.alice.client.get(f"{path}/{variant['id']}/stream")

        read = (await cast.alice.client.get(f"{path}/{variant['id']}")).json()
        assert read["error"]["code"] == "no_vision"


async def test_images_go_with_their_conversation(cast: Cast, echo: str, database: Database) -> None:
    chat = await cast.alice.starts_a_chat()
    await asks(cast.alice, chat, echo, encoded(PNG))
    async with database.writing() as session:
        (await session.get_one(Chat, chat.id)).deleted_at = now() - timedelta(days=2)

    await erasing.erase_deleted(database)

    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(MessageImage)) == 0
