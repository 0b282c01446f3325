"""Models of a connection that fails: whoever asks what there is hears why they cannot answer, until they can again."""

from typing import Any

import pytest

from app.core.database import Database
from tests.cast import Cast, Visitor
from tests.providers.fake_server import FakeServer
from tests.v1.clients import OPENAI
from tests.v1.conftest import Connect, Entries
from tests.v1.test_aliases import aliased
from tests.v1.vendors import COMPATIBLE

HERE, AWAY = "practice/echo-fast", COMPATIBLE.model


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer, database: Database) -> None:
    """`fast` is the vendor's model, then one here; `lonely` the vendor's alone."""
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    await connect("practice", "echo", "echo-fast")
    await aliased(database, "fast", AWAY, HERE)
    await aliased(database, "lonely", AWAY)


async def told(client: Any, key: str) -> dict[str, dict[str, Any]]:
    listed = (await client.get("/api/models", headers={"x-api-key": key})).json()["models"]
    return {model["id"]: model for model in listed}


async def names(client: Visitor, key: str, path: str) -> list[str]:
    listed = (await client.get(path, headers={"x-api-key": key})).json()
    return [model.get("id", model.get("name")) for model in listed.get("data", listed.get("models"))]


async def asks(client: Visitor, key: str, entries: Entries) -> int:
    response = await client.post(OPENAI.path, json=OPENAI.asking(AWAY), headers={"x-api-key": key})
    # What was heard of the connection is written down.
    await entries()
    return response.status_code


async def test_they_stay_listed_with_the_reason_until_they_answer_again(
    client: Visitor, key: str, vendor: FakeServer, cast: Cast, entries: Entries
) -> None:
    assert (await told(client, key))[AWAY]["is_available"]
    COMPATIBLE.plays(vendor, "openai/bad_key", COMPATIBLE.whole)
    assert await asks(client, key, entries) == 502

    models = await told(client, key)
    assert not models[AWAY]["is_available"]
    assert "rejected the key" in models[AWAY]["why_not"]
    assert "Administration → Connections" in models[AWAY]["why_not"]
    assert (models[HERE]["is_available"], models[HERE]["why_not"]) == (True, None)
    assert models["fast"]["is_available"]
    assert not models["lonely"]["is_available"]
    one = await client.get(f"/api/models/{AWAY}", headers={"x-api-key": key})
    assert one.json()["why_not"] == models[AWAY]["why_not"]
    assert "rejected the key" in (await cast.bob.client.get("/")).text

    for path in ("/v1/models", "/ollama/api/tags"):
        listed = await names(client, key, path)
        assert HERE in listed
        assert not {AWAY, "m", "lonely"} & set(listed)
    assert "fast" in await names(client, key, "/v1/models")

    assert await asks(client, key, entries) == 200, "it is tried all the same"
    assert (await told(client, key))[AWAY]["is_available"]
    assert AWAY in await names(client, key, "/v1/models")
