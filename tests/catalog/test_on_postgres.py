"""The same on PostgreSQL, where several processes look after one list of connections."""

import asyncio

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.audit import COMMAND_LINE, Act
from app.catalog import connections, discovery
from app.catalog.candidates import candidates_for
from app.catalog.connections import WantedConnection
from app.catalog.models import Connection, Model
from app.core.crypto import Vault
from app.core.database import Database
from app.core.errors import Conflict
from app.core.settings import Settings
from app.gateway.calls import Call, Gateway
from app.providers.base import Request, Role, Turn
from app.usage.models import LedgerEntry
from tests.catalog.vendor import GOOD_KEY, Vendor, vendor  # noqa: F401  (a fixture)

ACT = Act(COMMAND_LINE)


@pytest.fixture
def settings(settings: Settings, postgres_with_tables: str) -> Settings:
    return settings.model_copy(update={"database_url": postgres_with_tables, "provider_retries": 0})


async def connect(app: FastAPI, database: Database, url: str) -> Connection:
    vault: Vault = app.state.vault
    wish = WantedConnection("openai-compatible", "Vendor", url, GOOD_KEY)
    async with database.writing() as session:
        connection, _ = await connections.add(session, vault, wish, ACT)
    return connection


async def test_processes_that_see_a_list_due_ask_once_and_store_it_once(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    await connect(app, database, vendor.url)

    await asyncio.gather(*(discovery.refresh_due(database, app.state.providers) for _ in range(4)))

    assert len(vendor.keys_seen) == 1
    async with database.reading() as session:
        assert len((await session.scalars(select(Model))).all()) == 3


async def test_refreshes_at_the_same_moment_do_not_collide(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(app, database, vendor.url)
    again = [discovery.refresh(database, app.state.providers, connection.id) for _ in range(4)]

    answers = await asyncio.gather(*again)

    assert [answer.error for answer in answers] == [None] * 4


async def test_a_name_that_is_taken_at_the_same_moment_is_told(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    results = await asyncio.gather(
        *(connect(app, database, vendor.url) for _ in range(2)), return_exceptions=True
    )

    unexpected = [result for result in results if not isinstance(result, Connection | Conflict)]
    assert unexpected == []


async def test_a_call_is_made_and_entered(app: FastAPI, database: Database, vendor: Vendor) -> None:  # noqa: F811
    connection = await connect(app, database, vendor.url)
    await discovery.refresh(database, app.state.providers, connection.id)
    async with database.reading() as session:
        (found,) = (await candidates_for(session, "vendor/gpt-large", "alice")).models
        assert found.full_name == "vendor/gpt-large"
    gateway: Gateway = app.state.gateway

    call = Call("alice", Request("vendor/gpt-large", (Turn(Role.USER, "hello"),)), "api")
    async with gateway.open(call) as completion:
        async for _ in completion:
            pass
    await gateway.flush()

    async with database.reading() as session:
        entry = (await session.scalars(select(LedgerEntry))).one()
    assert (entry.input_tokens, entry.output_tokens) == (21, 3)


async def test_a_name_with_a_zero_byte_keeps_the_other_models_from_nothing(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    vendor.models = ["gpt", "no\x00thing"]
    await connect(app, database, vendor.url)

    await discovery.refresh_due(database, app.state.providers)

    async with database.reading() as session:
        assert (await session.scalars(select(Model.name))).all() == ["gpt"]
