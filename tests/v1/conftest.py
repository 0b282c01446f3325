"""For stories at the doors of programs: Parley behind a socket, Bob's key, and providers to call."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts import api_keys
from app.accounts.audit import Act
from app.accounts.key_rules import Rules
from app.accounts.models import User
from app.catalog.models import Connection, Model
from app.core.crypto import Secrets, Vault
from app.core.database import Database
from app.gateway.calls import Gateway
from app.providers import wire
from app.usage.models import LedgerEntry
from tests.cast import Cast
from tests.providers.fake_server import FakeServer, running

Connect = Callable[..., Awaitable[None]]
MakeKey = Callable[..., Awaitable[str]]
Entries = Callable[[], Awaitable[list[LedgerEntry]]]
OnlyEntry = Callable[[], Awaitable[LedgerEntry]]


@pytest.fixture
async def vendor() -> AsyncIterator[FakeServer]:
    """A provider that plays transcripts."""
    async with running() as fake:
        yield fake
        await wire.close()


@pytest.fixture
def connect(app: FastAPI, database: Database) -> Connect:
    """`await connect("practice", "echo", "echo-fast")`: a connection of a kind, and its models, all ticked."""

    async def make(name: str, kind: str, *models: str, base_url: str = "") -> None:
        vault: Vault = app.state.vault
        connection = Connection(
            name=name,
            label=name.title(),
            kind=kind,
            base_url=base_url,
            encrypted_key=vault.encrypt("sk-vendor") if base_url else None,
        )
        async with database.writing() as session:
            session.add(connection)
            await session.flush()
            session.add_all(
                Model(connection_id=connection.id, name=model, display_name=model.title(), is_enabled=True)
                for model in models
            )

    return make


@pytest.fixture
def make_key(app: FastAPI, cast: Cast, database: Database) -> MakeKey:
    """A new key of Bob's; `rules` say what it may do."""

    async def make(rules: Rules = Rules()) -> str:
        secrets: Secrets = app.state.secrets
        async with database.writing() as session:
            bob = await session.get_one(User, cast.bob.id)
            made = await api_keys.create(
                session, bob, secrets.signing_key, Act(bob, "127.0.0.1"), name="Tools", rules=rules
            )
        return made.secret

    return make


@pytest.fixture
async def key(make_key: MakeKey) -> str:
    """Bob's."""
    return await make_key()


@pytest.fixture
def entries(app: FastAPI, database: Database) -> Entries:
    """`await entries()`: all that the ledger has by now."""

    async def find() -> list[LedgerEntry]:
        gateway: Gateway = app.state.gateway
        await gateway.flush()
        async with database.reading() as session:
            return list(await session.scalars(select(LedgerEntry)))

    return find


@pytest.fixture
def only_entry(entries: Entries) -> OnlyEntry:
    """`await only_entry()`: the one that there is."""

    async def find() -> LedgerEntry:
        [entry] = await entries()
        return entry

    return find
