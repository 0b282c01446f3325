"""The ledger knows how often a provider was asked; whoever waits for the answer does not hear of it."""

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.catalog.models import Connection, Model
from app.core.crypto import Vault
from app.core.database import Database
from app.gateway.calls import Call, Gateway
from app.providers.base import Request, Role, Turn
from app.providers.errors import KeyRejected, NotReachable
from app.providers.wire import retrying
from app.usage.models import LedgerEntry
from tests.catalog.vendor import GOOD_KEY, OTHER_KEY, Vendor, vendor  # noqa: F401  (a fixture)

QUESTION = Request("vendor/gpt", (Turn(Role.USER, "Hello"),))


async def connect(app: FastAPI, url: str, key: str = GOOD_KEY) -> None:
    vault: Vault = app.state.vault
    database: Database = app.state.database
    async with database.writing() as session:
        other = Connection(name="vendor", label="Vendor", kind="openai-compatible", base_url=url)
        other.encrypted_key = vault.encrypt(key)
        session.add(other)
        await session.flush()
        session.add(Model(connection_id=other.id, name="gpt", display_name="GPT", is_enabled=True))


async def events_of(app: FastAPI) -> list[str]:
    gateway: Gateway = app.state.gateway
    async with gateway.open(Call("alice", QUESTION, origin="api")) as completion:
        return [type(event).__name__ async for event in completion]


async def attempts(app: FastAPI) -> int:
    gateway: Gateway = app.state.gateway
    await gateway.flush()
    database: Database = app.state.database
    async with database.reading() as session:
        return (await session.scalars(select(LedgerEntry.attempts))).one()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.0)


async def test_a_provider_that_is_not_reached_is_asked_again(app: FastAPI) -> None:
    await connect(app, "http://127.0.0.1:9/v1")

    with pytest.raises(NotReachable):
        await events_of(app)

    assert await attempts(app) == 1 + app.state.settings.provider_retries > 1


async def test_an_answer_at_once_is_one_attempt(app: FastAPI, vendor: Vendor) -> None:  # noqa: F811
    await connect(app, vendor.url)

    assert "Retried" not in await events_of(app)
    assert await attempts(app) == 1


async def test_what_cannot_get_better_is_not_tried_again(app: FastAPI, vendor: Vendor) -> None:  # noqa: F811
    await connect(app, vendor.url, OTHER_KEY)

    with pytest.raises(KeyRejected):
        await events_of(app)

    assert await attempts(app) == 1
