"""Which models people may use: ticked by administrators, seen by everybody through /api/models."""

import re

import httpx
import pytest

from app.catalog import discovery
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.database import Database
from tests.cast import HTMX, Cast, Visitor


@pytest.fixture
async def workshop(database: Database) -> Connection:
    """A connection with names as they occur: slashes, colons, quotes."""
    async with database.writing() as session:
        connection = Connection(
            name="workshop", label="Workshop", kind="openai-compatible", base_url="http://127.0.0.1:9/v1"
        )
        session.add(connection)
        await session.flush()
        for name, is_enabled in (("org/big:70b", True), ("small", False), ('<b>"odd"</b>', False)):
            session.add(
                Model(
                    connection_id=connection.id,
                    name=name,
                    display_name=name,
                    context_window=131_072,
                    vision=True,
                    is_enabled=is_enabled,
                )
            )
    return connection


async def ids(client: httpx.AsyncClient) -> list[str]:
    return [model["id"] for model in (await client.get("/api/models")).json()["models"]]


async def test_ticked_models_are_what_people_may_use(cast: Cast, workshop: Connection) -> None:
    (model,) = (await cast.bob.client.get("/api/models")).json()["models"]

    assert model == {
        "id": "workshop/org/big:70b",
        "name": "org/big:70b",
        "connection": "Workshop",
        "is_available": True,
        "why_not": None,
        "context_window": 131_072,
        "max_output_tokens": None,
        "abilities": ["vision"],
        "stands_for": [],
        "family": None,
        "parameters": None,
        "quantization": None,
        "size": None,
        "loaded": None,
        "price": None,
    }


async def test_each_model_says_what_it_costs_or_that_nobody_knows(cast: Cast, workshop: Connection) -> None:
    page = (await cast.alice.client.get("/admin/models")).text
    assert page.count("No price") == 3
    addresses = re.findall(r'href="(/admin/prices/[^"]+)"', page)

    for address in addresses:
        price = {"input": "3", "output": "15", "cached_input": "0.3"}
        assert (await cast.alice.client.post(address, data=price)).status_code == 303

    page = (await cast.alice.client.get("/admin/models")).text
    assert "No price" not in page
    assert "$3 / $15" in page
    (model,) = (await cast.bob.client.get("/api/models")).json()["models"]
    assert model["price"] == {"input": 3_000_000, "output": 15_000_000, "cached_input": 300_000}


async def test_a_tick_counts_at_once(cast: Cast, workshop: Connection) -> None:
    shown = ["org/big:70b", "small"]
    form = {"shown": shown, "ticked": ["small"]}

    response = await cast.alice.client.post(f"/admin/models/{workshop.id}/selection", data=form, headers=HTMX)

    assert "1 of 3 ticked" in response.text
    assert await ids(cast.bob.client) == ["workshop/small"]


async def test_only_models_that_were_shown_change(cast: Cast, workshop: Connection) -> None:
    address = f"/admin/models/{workshop.id}/selection"

    await cast.alice.client.post(address, data={"shown": ["small"], "ticked": ["small", "invented"]})
    assert await ids(cast.bob.client) == ["workshop/org/big:70b", "workshop/small"]

    await cast.alice.client.post(address, data={"shown": ["small"], "everything": "untick"})
    assert await ids(cast.bob.client) == ["workshop/org/big:70b"]


async def test_all_are_ticked_and_unticked(cast: Cast, workshop: Connection) -> None:
    address = f"/admin/models/{workshop.id}/selection"
    shown = ["org/big:70b", "small", '<b>"odd"</b>']

    response = await cast.alice.client.post(address, data={"shown": shown, "everything": "tick"})
    assert response.status_code == 303
    assert len(await ids(cast.bob.client)) == 3

    await cast.alice.client.post(address, data={"shown": shown, "ticked": shown, "everything": "untick"})
    assert await ids(cast.bob.client) == []


async def test_models_are_searched_and_names_are_shown_as_text(cast: Cast, workshop: Connection) -> None:
    page = (await cast.alice.client.get("/admin/models")).text
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "128k" in page

    found = (await cast.alice.client.get("/admin/models", params={"q": "BIG"})).text
    assert "org/big:70b" in found
    assert "odd" not in found
    nothing = (await cast.alice.client.get("/admin/models", params={"q": "100%_"})).text
    assert "No model is called" in nothing
    ticked = (await cast.alice.client.get("/admin/models", params={"show": "ticked"})).text
    assert "org/big:70b" in ticked
    assert "odd" not in ticked


async def test_models_of_a_failing_connection_say_why_they_cannot_answer(
    cast: Cast, workshop: Connection, database: Database
) -> None:
    async with database.writing() as session:
        found = await session.get_one(Connection, workshop.id)
        found.last_error_at = now()
        found.last_error_code = "key_rejected"
        found.last_error = "Workshop does not accept the key."

    (model,) = (await cast.bob.client.get("/api/models")).json()["models"]
    assert (model["id"], model["is_available"]) == ("workshop/org/big:70b", False)
    assert model["why_not"].startswith("Workshop does not accept the key.")


async def test_a_connection_that_is_removed_while_it_is_asked_is_not_found(
    cast: Cast, database: Database, workshop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = discovery._ask

    async def ask_for_long(*arguments: object) -> discovery.Answer:
        await cast.alice.client.post(f"/admin/connections/{workshop.id}/removal")
        return await asked(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(discovery, "_ask", ask_for_long)
    for address in ("/admin/models", "/admin/connections"):
        response = await cast.alice.client.post(f"{address}/{workshop.id}/refreshes", headers=HTMX)

        assert response.status_code == 404, address


async def test_strangers_and_members_learn_nothing(cast: Cast, client: Visitor, workshop: Connection) -> None:
    assert (await client.get("/api/models")).status_code == 401
    for address in ("/admin/models", f"/admin/models/{workshop.id}"):
        assert (await cast.bob.client.get(address)).status_code == 404
    for end in ("selection", "refreshes"):
        response = await cast.bob.client.post(f"/admin/models/{workshop.id}/{end}", data={"shown": "small"})
        assert response.status_code == 404
    assert (await cast.bob.client.post("/admin/models/refreshes")).status_code == 404


async def test_nonsense_is_answered_with_not_found(cast: Cast) -> None:
    for end in ("selection", "refreshes"):
        assert (await cast.alice.client.post(f"/admin/models/nobody/{end}")).status_code == 404
