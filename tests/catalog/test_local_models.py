"""Local servers are told what to hold in memory: by pages and by scripts, in the background, for all to see."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, expect
from sqlalchemy import select

from app.accounts import cookies
from app.catalog import local_servers
from app.catalog.models import Connection, LoadState, Model, ModelLoad
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.providers import wire
from tests.cast import HTMX, Cast, Person
from tests.catalog.memory_server import MemoryServer, running
from tests.waiting import SECONDS_TO_WAIT, until

DOOR = "/api/local-models"


@pytest.fixture
async def ollama() -> AsyncIterator[MemoryServer]:
    async with running() as server:
        yield server
        await wire.close()


@pytest.fixture
async def workshop(database: Database, ollama: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """The server is connected, with three models of which the first is ticked."""
    monkeypatch.setattr(local_servers, "SECONDS_FRESH", 0)
    async with database.writing() as session:
        connection = Connection(name="workshop", label="Workshop", kind="ollama", base_url=ollama.url)
        session.add(connection)
        await session.flush()
        for name in ("qwen3:8b", "gemma3:4b", "gone"):
            session.add(
                Model(
                    connection_id=connection.id,
                    name=name,
                    display_name=name,
                    is_enabled=name == "qwen3:8b",
                    family="qwen3",
                    parameters="8.2B",
                    quantization="Q4_K_M",
                    size=5_200_000_000,
                )
            )
    return connection


async def server_of(person: Person) -> dict[str, Any]:
    """The one local server, once nothing is under way at it and it was asked."""
    async with asyncio.timeout(SECONDS_TO_WAIT):
        while True:
            (server,) = (await person.client.get(DOOR)).json()["servers"]
            if server["heard_at"] and not any(told["state"].endswith("ing") for told in server["told"]):
                return dict(server)
            await asyncio.sleep(0.02)


def loaded(server: dict[str, Any]) -> list[str]:
    return [model["id"] for model in server["loaded"]]


async def test_a_model_is_loaded_and_unloaded(cast: Cast, workshop: Connection, ollama: MemoryServer) -> None:
    told = await cast.alice.client.post(f"{DOOR}/loads", json={"model": "workshop/qwen3:8b"})
    with_it = await server_of(cast.alice)
    untold = await cast.alice.client.post(f"{DOOR}/unloads", json={"model": "workshop/qwen3:8b"})
    without = await server_of(cast.alice)

    assert (told.status_code, told.json()["state"]) == (202, "loading")
    assert loaded(with_it) == ["workshop/qwen3:8b"]
    assert with_it["loaded"][0]["size"] == 5_000_000_000
    assert untold.json()["told"][0]["state"] == "unloading"
    assert (loaded(without), ollama.held) == ([], [])


async def test_exclusive_means_that_all_others_go_first(
    cast: Cast, workshop: Connection, ollama: MemoryServer
) -> None:
    ollama.held = ["gemma3:4b", "pulled-just-now"]

    await cast.alice.client.post(f"{DOOR}/loads", json={"model": "workshop/qwen3:8b", "exclusive": True})

    assert loaded(await server_of(cast.alice)) == ["workshop/qwen3:8b"]


async def test_everything_is_unloaded_at_once(cast: Cast, workshop: Connection, ollama: MemoryServer) -> None:
    ollama.held = ["gemma3:4b", "qwen3:8b", "pulled-just-now"]

    await cast.alice.client.post(f"{DOOR}/unloads", json={"connection": "workshop"})

    async with asyncio.timeout(SECONDS_TO_WAIT):
        while ollama.held:  # noqa: ASYNC110  (the server tells in no other way)
            await asyncio.sleep(0.01)
    assert loaded(await server_of(cast.alice)) == []


async def test_what_is_under_way_is_seen_after_a_reload(
    cast: Cast, workshop: Connection, ollama: MemoryServer
) -> None:
    ollama.may_load.clear()
    started = await cast.alice.client.post(
        f"/admin/models/{workshop.id}/loads", data={"model": "qwen3:8b", "exclusive": "on"}
    )
    again = await cast.alice.client.post(f"{DOOR}/loads", json={"model": "workshop/qwen3:8b"})
    page = await cast.alice.client.get("/admin/models")
    ollama.may_load.set()
    await server_of(cast.alice)
    fragment = await cast.alice.client.get("/admin/models/local", headers=HTMX)

    assert started.status_code == 303
    assert "Loading qwen3:8b instead of all others" in page.text
    assert again.status_code == 409
    assert "is loading already" in again.json()["error"]["message"]
    assert "Loading" not in fragment.text
    assert "Unload qwen3:8b" in fragment.text
    assert "look-again" in page.text
    assert "look-again" not in fragment.text, "it does not look again for nothing"


async def test_whoever_waits_is_told_what_is_known(
    cast: Cast, workshop: Connection, ollama: MemoryServer, database: Database
) -> None:
    """How long it took the last time, and what the server says it takes; how far it is no server tells."""
    wish = {"model": "workshop/qwen3:8b"}
    await cast.alice.client.post(f"{DOOR}/loads", json=wish)
    await server_of(cast.alice)
    async with database.writing() as session:
        row = (await session.scalars(select(ModelLoad))).one()
        took, row.last_load_seconds = row.last_load_seconds, 12
    await cast.alice.client.post(f"{DOOR}/unloads", json=wish)
    await server_of(cast.alice)
    ollama.may_load.clear()

    told = await cast.alice.client.post(f"{DOOR}/loads", json=wish)

    async def page_that_knows() -> str:
        text = (await cast.alice.client.get("/admin/models")).text
        return text if "of memory" in text else ""

    page = await until(page_that_knows)
    ollama.may_load.set()
    await server_of(cast.alice)

    assert took == 0
    assert told.json()["last_seconds"] == 12
    assert "took 12 s last time" in page
    assert "Unload qwen3:8b" not in page
    assert "takes 5.0 GB of memory, 4.0 GB of it on the graphics card" in page
    assert '<progress class="progress" aria-label="Loading qwen3:8b"></progress>' in page


async def test_what_failed_says_why(cast: Cast, workshop: Connection) -> None:
    await cast.alice.client.post(f"{DOOR}/loads", json={"model": "workshop/gone"})

    (told,) = (await server_of(cast.alice))["told"]
    assert told["state"] == "failed"
    assert "gone" in told["error"]
    assert told["error"].endswith(".")
    page = await cast.alice.client.get("/admin/models")
    assert "gone: " in page.text


async def test_nobody_waits_for_a_server_that_is_away(
    cast: Cast, workshop: Connection, ollama: MemoryServer, database: Database
) -> None:
    may_hang_up = asyncio.Event()

    async def says_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_hang_up.wait()
        writer.close()

    async with await asyncio.start_server(says_nothing, "127.0.0.1", 0) as silent:
        address = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with database.writing() as session:
            (await session.get_one(Connection, workshop.id)).base_url = f"http://{address}"

        first = (await cast.alice.client.get(DOOR)).json()["servers"][0]
        may_hang_up.set()
        server = await server_of(cast.alice)

    assert first["heard_at"] is None
    assert address in server["error"] or "Workshop" in server["error"]
    assert (await cast.alice.client.get("/admin/models")).status_code == 200


async def test_a_killed_server_leaves_no_model_loading_for_ever(
    cast: Cast, workshop: Connection, database: Database
) -> None:
    at = now() - timedelta(minutes=2)
    async with database.writing() as session:
        model = await session.scalar(select(Model.id).where(Model.name == "qwen3:8b"))
        session.add(ModelLoad(model_id=model, state=LoadState.LOADING, started_at=at, heartbeat_at=at))

    (told,) = (await server_of(cast.alice))["told"]

    assert told["state"] == "failed"
    assert "stopped" in told["error"]


async def test_models_are_described_to_whoever_may_use_them(
    app: FastAPI, cast: Cast, workshop: Connection, ollama: MemoryServer
) -> None:
    ollama.held = ["qwen3:8b"]
    await app.state.local_servers.look()

    (listed,) = (await cast.bob.client.get("/api/models")).json()["models"]
    read = await cast.bob.client.get("/api/models/workshop/qwen3:8b")
    unticked = await cast.bob.client.get("/api/models/workshop/gemma3:4b")

    assert read.json() == listed
    assert listed["loaded"] is True
    assert (listed["family"], listed["parameters"], listed["quantization"]) == ("qwen3", "8.2B", "Q4_K_M")
    assert listed["size"] == 5_200_000_000
    assert unticked.status_code == 404


async def test_only_administrators_tell_servers(
    cast: Cast, workshop: Connection, ollama: MemoryServer
) -> None:
    ollama.held = ["gemma3:4b"]
    made = await cast.alice.client.post("/api/keys", json={"name": "Chats", "scopes": ["chat"]})
    key = {"x-api-key": made.json()["secret"]}

    for response in (
        await cast.bob.client.get(DOOR),
        await cast.bob.client.post(f"{DOOR}/loads", json={"model": "workshop/qwen3:8b"}),
        await cast.bob.client.post(f"/admin/models/{workshop.id}/unloads"),
    ):
        assert response.status_code == 404
    refused = await cast.alice.client.post(f"{DOOR}/unloads", json={"connection": "workshop"}, headers=key)

    assert refused.status_code in (403, 404)
    assert ollama.held == ["gemma3:4b"]


@pytest.mark.parametrize(
    "wish", [{"model": "nobody/nothing"}, {"model": "x"}, {"model": "workshop/none"}, {"model": ""}, {}]
)
async def test_what_cannot_be_loaded_is_refused(
    cast: Cast, workshop: Connection, wish: dict[str, str]
) -> None:
    for verb in ("loads", "unloads"):
        response = await cast.alice.client.post(f"{DOOR}/{verb}", json=wish)
        if (verb, wish) != ("unloads", {"model": "workshop/none"}):
            assert response.status_code in (404, 422), (verb, wish)


async def test_a_cloud_provider_cannot_be_told(cast: Cast, database: Database) -> None:
    async with database.writing() as session:
        connection = Connection(name="practice", label="Practice", kind="echo")
        session.add(connection)
        await session.flush()
        session.add(Model(connection_id=connection.id, name="echo", display_name="Echo"))

    response = await cast.alice.client.post(f"{DOOR}/loads", json={"model": "practice/echo"})

    assert response.status_code == 422
    assert "Ollama and LM Studio" in response.json()["error"]["message"]


async def test_a_page_follows_until_it_is_loaded(
    cast: Cast, workshop: Connection, ollama: MemoryServer, browser: Browser, address: str
) -> None:
    """Looked at for longer than one round, without leaving the page."""
    ollama.may_load.clear()
    context = await browser.new_context(base_url=address)
    await context.add_cookies([{"name": cookies.NAME, "value": cast.alice.token, "url": address}])
    page = await context.new_page()
    await page.goto("/admin/models")
    await page.get_by_label("Model to load at Workshop").select_option("qwen3:8b")
    await page.get_by_role("button", name="Load", exact=True).click()

    await expect(page.get_by_text(re.compile(r"Loading qwen3:8b\s+for [2-9] s"))).to_be_visible()
    ollama.may_load.set()
    await expect(page.get_by_role("button", name="Unload qwen3:8b")).to_be_visible()
    await page.get_by_role("button", name="Unload qwen3:8b").click()
    await expect(page.get_by_text("Nothing. The first question")).to_be_visible()
    await context.close()


class TestOnPostgres:
    """Two who ask at the same time wait for one another."""

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_a_model_is_loaded_once(
        self, cast: Cast, workshop: Connection, ollama: MemoryServer
    ) -> None:
        ollama.may_load.clear()

        answers = await asyncio.gather(
            *(cast.alice.client.post(f"{DOOR}/loads", json={"model": "workshop/qwen3:8b"}) for _ in range(4))
        )
        ollama.may_load.set()
        await server_of(cast.alice)

        assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
        assert ollama.held == ["qwen3:8b"]
