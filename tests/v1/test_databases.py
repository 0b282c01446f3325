"""What clients hear when the database cannot do what they want."""

import sqlite3
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event

from app.core.database import Database
from app.core.settings import Settings
from app.usage.models import Budget
from tests.cast import Cast, Visitor
from tests.v1.clients import TALKING, Client
from tests.v1.conftest import Connect

MODEL = "practice/echo-fast"
SURFACES = pytest.mark.parametrize("surface", TALKING, ids=lambda client: client.name)


@pytest.fixture(autouse=True)
async def practice(connect: Connect) -> None:
    await connect("practice", "echo", "echo-fast")


class TestOnPostgres:
    """It refuses zero bytes, which SQLite takes."""

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    @SURFACES
    async def test_a_name_that_no_model_can_have_is_refused_in_a_sentence(
        self, client: Visitor, key: str, surface: Client
    ) -> None:
        body = surface.asking("no\x00thing", "Hello", streaming=False)

        response = await client.post(surface.path, json=body, headers={"x-api-key": key})

        assert response.status_code == 400
        assert "cannot be stored" in surface.complaint(response.json())[1]

    async def test_nor_are_embeddings_made_with_it(self, client: Visitor, key: str) -> None:
        body = {"model": "no\x00thing", "input": "Hello"}

        response = await client.post("/v1/embeddings", json=body, headers={"x-api-key": key})

        assert response.status_code == 400
        assert "cannot be stored" in response.json()["error"]["message"]


class TestLocked:
    """Somebody else writes to the file, a program that makes copies for example, and takes too long."""

    @pytest.fixture
    async def lock(self, database: Database, settings: Settings) -> AsyncIterator[None]:
        async with database.writing() as session:
            # So that every call has something to write before it begins.
            session.add(Budget(scope="workspace", unit="requests", period="month", amount=100))
        await database.engine.dispose()
        # Nobody waits ten seconds for a test.
        event.listen(
            database.engine.sync_engine,
            "connect",
            lambda connection, _: connection.execute("PRAGMA busy_timeout = 50"),
        )
        other = sqlite3.connect(settings.data_dir / "parley.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()

    @SURFACES
    async def test_programs_are_told_to_come_again(
        self, client: Visitor, key: str, surface: Client, lock: None
    ) -> None:
        body = surface.asking(MODEL, "Hello", streaming=False)

        response = await client.post(surface.path, json=body, headers={"x-api-key": key})

        assert response.status_code == 503
        assert "does not answer just now" in surface.complaint(response.json())[1]
        assert response.headers["retry-after"] == "5"

    async def test_people_too(self, cast: Cast, lock: None) -> None:
        page = await cast.alice.client.post("/chats", data={"body": "Hello", "model": MODEL})
        api = await cast.alice.client.post("/api/chats", json={"title": "Salaries"})

        assert (page.status_code, api.status_code) == (503, 503)
        assert "does not answer just now" in page.text
        assert api.json()["error"]["code"] == "unavailable"
