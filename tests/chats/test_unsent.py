"""Without scripts: what somebody wrote and could not send is shown again, ready to be sent."""

from html import escape

import pytest
from sqlalchemy.exc import OperationalError

from app.chats import posting
from app.core.settings import Settings
from tests.cast import HTMX, Cast

WORDS = "Dear harbour master,\n\n<b>how deep</b> is the harbour?"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_running_replies": 1})


def message(model: str) -> dict[str, str]:
    return {"body": WORDS, "model": model, "key": "named-before"}


async def test_who_was_signed_out_finds_the_message_again(cast: Cast, echo: str) -> None:
    chat = await cast.bob.starts_a_chat()
    address = f"/chats/{chat.id}/messages"
    await cast.bob.client.post("/logout")

    refused = await cast.bob.client.post(address, data=message(echo))

    assert refused.status_code == 401
    assert escape(WORDS, quote=False) in refused.text
    assert "<b>how deep" not in refused.text
    assert f'action="{address}"' in refused.text
    assert 'value="named-before"' in refused.text
    assert 'href="/login"' in refused.text
    await cast.bob.client.post("/login", data={"login": "bob", "password": cast.bob.password})
    assert (await cast.bob.client.post(address, data=message(echo))).status_code == 303


async def test_who_must_wait_does(cast: Cast, echo: str) -> None:
    await cast.bob.client.post("/chats", data={"body": "/slow /long 200 Hello", "model": echo})

    refused = await cast.bob.client.post("/chats", data=message(echo))

    assert refused.status_code == 429
    assert escape(WORDS, quote=False) in refused.text
    assert "being written for you already" in refused.text


async def test_who_met_a_database_that_is_away_does(
    cast: Cast, echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OperationalError("insert", None, Exception("it is away"))

    monkeypatch.setattr(posting, "start_chat", fail)

    refused = await cast.bob.client.post("/chats", data=message(echo))

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert escape(WORDS, quote=False) in refused.text


async def test_images_are_asked_for_again(cast: Cast, echo: str) -> None:
    await cast.bob.client.post("/logout")
    images = [("images", ("harbour.png", b"\x89PNG\r\n\x1a\n", "image/png"))]

    refused = await cast.bob.client.post("/chats", data=message(echo), files=images)

    assert "have to be chosen again" in refused.text


async def test_scripts_keep_the_message_themselves(cast: Cast, echo: str) -> None:
    await cast.bob.client.post("/logout")

    refused = await cast.bob.client.post("/chats", data=message(echo), headers=HTMX)

    assert refused.headers["hx-redirect"].startswith("/login")
    assert WORDS not in refused.text


@pytest.mark.parametrize("form", [{}, {"body": "  "}])
async def test_who_wrote_nothing_is_led_to_the_login_page(cast: Cast, form: dict[str, str]) -> None:
    await cast.bob.client.post("/logout")

    refused = await cast.bob.client.post("/chats", data=form)

    assert (refused.status_code, refused.headers["location"]) == (303, "/login")
