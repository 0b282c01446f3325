"""Images from the message box: with a question as a form, with scripts and without."""

import pytest
from sqlalchemy import func, select

from app.chats.images import LARGEST_IMAGE, MOST_IMAGES
from app.chats.models import Chat, Message
from app.core.database import Database
from tests.cast import HTMX, Cast, Person
from tests.chats.test_images import GIF, JPEG, PNG, blind, widen  # noqa: F401  (a fixture)
from tests.chats.waiting import finished_replies
from tests.providers.test_pictures import png

Files = list[tuple[str, tuple[str, bytes, str]]]


def chosen(*contents: bytes) -> Files:
    """What a file input sends; the types that a browser claims are not believed."""
    return [
        ("images", (f"boat-{number}.png", content, "image/png")) for number, content in enumerate(contents)
    ]


async def questions(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(Message)) or 0


async def test_a_conversation_begins_with_images(cast: Cast, echo: str, database: Database) -> None:
    await widen(database, echo)
    form = {"body": "What is this?", "model": echo}

    started = await cast.alice.client.post("/chats", data=form, files=chosen(PNG, JPEG))

    (reply,) = await finished_replies(cast.alice, started.headers["location"])
    assert f"[image/jpeg, {len(JPEG)} bytes]" in reply["content"]
    page = await cast.alice.client.get(started.headers["location"])
    assert page.text.count('class="message__images"') == 1
    assert "Image 2 of 2" in page.text


async def test_a_conversation_goes_on_with_images(cast: Cast, echo: str, database: Database) -> None:
    await widen(database, echo)
    chat = await cast.alice.starts_a_chat()

    response = await cast.alice.client.post(
        f"/chats/{chat.id}/messages",
        data={"body": "And this?", "model": echo},
        files=chosen(PNG),
        headers=HTMX,
    )

    assert "Image 1 of 1" in response.text
    (reply,) = await finished_replies(cast.alice, f"/chats/{chat.id}")
    assert "[image/png" in reply["content"]


async def test_an_empty_choice_is_no_image(cast: Cast, echo: str) -> None:
    # As browsers send it: a file without a name.
    head = "--edge\r\nContent-Disposition: form-data; name="
    parts = (
        f'{head}"body"\r\n\r\nHello',
        f'{head}"model"\r\n\r\n{echo}',
        f'{head}"images"; filename=""\r\n\r\n',
    )
    body = "\r\n".join([*parts, "--edge--\r\n"])

    started = await cast.alice.client.post(
        "/chats", content=body, headers={"content-type": "multipart/form-data; boundary=edge"}
    )

    assert started.status_code == 303
    assert "message__images" not in (await cast.alice.client.get(started.headers["location"])).text


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (chosen(PNG, GIF), "“boat-1.png” has to be a JPEG, a PNG or a WebP"),
        (chosen(PNG + b"x" * LARGEST_IMAGE), "“boat-0.png” may have at most 5 MB"),
        (chosen(*[PNG] * (MOST_IMAGES + 1)), "at most 8 images"),
        (chosen(b""), "“boat-0.png” has to be"),
        (chosen(png(60_000, 60_000)), "“boat-0.png” is 60,000 × 60,000 pixels large"),
    ],
)
async def test_what_does_not_fit_is_said_and_nothing_typed_is_lost(
    cast: Cast, echo: str, database: Database, files: Files, sentence: str
) -> None:
    chat = await cast.alice.starts_a_chat()
    form = {"body": "A question worth keeping", "model": echo}

    for address in ("/chats", f"/chats/{chat.id}/messages"):
        plain = await cast.alice.client.post(address, data=form, files=files)
        fragment = await cast.alice.client.post(address, data=form, files=files, headers=HTMX)

        assert (plain.status_code, fragment.status_code) == (422, 422)
        assert sentence in plain.text
        assert ">A question worth keeping</textarea>" in plain.text
        assert sentence in fragment.text
        assert fragment.headers["hx-retarget"] == "#toasts"
    assert await questions(database) == 0


async def test_a_model_that_sees_nothing_is_known_before_sending(
    cast: Cast,
    echo: str,
    blind: str,  # noqa: F811
    database: Database,
) -> None:
    page = await cast.alice.client.get("/")
    refused = await cast.alice.client.post(
        "/chats", data={"body": "What is this?", "model": blind}, files=chosen(PNG)
    )

    assert page.text.count("data-blind") == 1
    assert refused.status_code == 422
    assert "cannot see images" in refused.text
    assert ">What is this?</textarea>" in refused.text
    assert await questions(database) == 0
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Chat)) == 0


async def test_strangers_attach_nothing(cast: Cast, echo: str, database: Database) -> None:
    chat = await cast.alice.starts_a_chat()

    response = await post_image(cast.bob, chat.id, echo)
    assert response == 404
    assert await questions(database) == 0
    assert await post_image(cast.alice, chat.id, echo) == 303, "the door is there"


async def post_image(person: Person, chat_id: str, model: str) -> int:
    form = {"body": "What is this?", "model": model}
    response = await person.client.post(f"/chats/{chat_id}/messages", data=form, files=chosen(PNG))
    return response.status_code
