"""The first run: from the first account to models that may be used."""

import re

import pytest
from sqlalchemy import select

from app.catalog.models import Model
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import HTMX, Cast, Visitor
from tests.catalog.vendor import GOOD_KEY, Vendor, vendor  # noqa: F401  (a fixture)
from tests.waiting import until


@pytest.fixture
def settings(settings: Settings, vendor: Vendor) -> Settings:  # noqa: F811
    """What looks like LM Studio runs where it is looked for; Ollama does not."""
    vendor.keys.add("")
    addresses = {"ollama_base_url": "http://127.0.0.1:9", "lmstudio_base_url": vendor.url.removesuffix("/v1")}
    return settings.model_copy(update=addresses)


async def test_a_local_server_is_found_and_connected_with_one_click(cast: Cast, vendor: Vendor) -> None:  # noqa: F811
    found = await cast.alice.client.get("/setup/provider/detected")
    assert "LM Studio" in found.text
    assert "Ollama" not in found.text
    assert "3 models" in found.text

    form = {"kind": "lmstudio", "base_url": vendor.url.removesuffix("/v1")}
    connected = await cast.alice.client.post("/setup/provider", data=form)
    assert connected.headers["location"] == "/setup/models"
    again = await cast.alice.client.get("/setup/provider")
    assert "Running" not in again.text, "what is connected is not offered again"


async def test_without_scripts_a_local_server_shows_when_the_page_is_loaded_again(cast: Cast) -> None:
    async def shown_as_running() -> str | None:
        page = await cast.alice.client.get("/setup/provider")
        return page.text if "Running" in page.text else None

    assert "Connect LM Studio" in await until(shown_as_running)


async def test_pages_do_not_wait_for_a_silent_provider(cast: Cast, vendor: Vendor) -> None:  # noqa: F811
    vendor.mood = "silent"
    form = {"kind": "openai-compatible", "base_url": vendor.url, "key": GOOD_KEY}
    await cast.alice.client.post("/setup/provider", data=form)

    for address in ("/setup/models", "/admin/connections", "/admin/models"):
        page = await cast.alice.client.get(address)
        assert "Asking for its models" in page.text, address


async def test_ticked_models_are_open_to_everybody(cast: Cast, database: Database) -> None:
    await cast.alice.client.post("/setup/provider", data={"kind": "echo"})
    page = await cast.alice.client.get("/setup/models")
    while "Asking for its models" in page.text:
        page = await cast.alice.client.get("/setup/models", headers=HTMX)
    assert "echo/echo-slow" in page.text

    names = ["echo/echo", "echo/echo-fast", "echo/echo-slow"]
    done = await cast.alice.client.post("/setup/models", data={"shown": names, "ticked": names[:2]})

    assert done.headers["location"] == "/"
    async with database.reading() as session:
        ticked = await session.scalars(select(Model.name).where(Model.is_enabled))
        assert set(ticked) == {"echo", "echo-fast"}


async def test_only_administrators_set_up(cast: Cast, client: Visitor) -> None:
    for address in ("/setup/provider", "/setup/provider/detected", "/setup/models"):
        assert (await cast.bob.client.get(address)).status_code == 404
        assert (await client.get(address)).headers["location"].startswith("/login")
    for address in ("/setup/provider", "/setup/models"):
        assert (await cast.bob.client.post(address, data={"kind": "echo"})).status_code == 404


async def test_a_form_that_does_not_fit_comes_back_with_the_reason(cast: Cast) -> None:
    response = await cast.alice.client.post("/setup/provider", data={"kind": "openai", "label": "My label"})

    assert response.status_code == 422
    assert "OpenAI wants a key" in response.text
    assert "My label" in response.text


async def test_a_connection_that_does_not_work_is_kept_until_it_is_taken_back(cast: Cast) -> None:
    await cast.alice.client.post("/setup/provider", data={"kind": "ollama", "base_url": "http://127.0.0.1:9"})

    async def failed() -> str | None:
        page = (await cast.alice.client.get("/setup/models")).text
        return page if "The connection is kept" in page else None

    address = re.search(r'formaction="(/setup/provider/\w+/removal)"', await until(failed))
    assert address
    assert (await cast.bob.client.post(address[1])).status_code == 404
    removed = await cast.alice.client.post(address[1])

    assert removed.headers["location"] == "/setup/models"
    assert "Nothing is connected yet" in (await cast.alice.client.get("/setup/models")).text
