"""Three vendors to route between, and whoever asks them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.accounts.audit import COMMAND_LINE, Act
from app.catalog import aliases
from app.catalog.aliases import Share, WantedAlias
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.crypto import Vault
from app.core.database import Database
from app.core.settings import Settings
from app.gateway.calls import Call, Completion, Gateway
from app.providers.base import Request, Role, Turn
from app.providers.events import TextDelta
from app.providers.wire import retrying
from app.usage.models import (
    LedgerEntry,
)
from tests.catalog.vendor import GOOD_KEY, Vendor, running_vendor

ACT = Act(COMMAND_LINE)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    quick = {"provider_first_token_timeout": 1.0, "provider_idle_timeout": 1.0, "provider_retries": 2}
    return settings.model_copy(update=quick)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.0)


@dataclass
class Market:
    """Three vendors, `north`, `south` and `cellar`, that all offer `gpt`; only `north` offers `solo`."""

    gateway: Gateway
    database: Database
    vendors: dict[str, Vendor] = field(default_factory=dict)

    async def alias(self, name: str, *models: str, weighted: bool = False, cloud: bool = False) -> None:
        shares = tuple(map(Share.parse, models))
        async with self.database.writing() as session:
            await aliases.add(session, WantedAlias(name, shares, weighted, cloud), ACT)

    async def change(self, name: str, **values: object) -> None:
        async with self.database.writing() as session:
            await session.execute(update(Connection).where(Connection.name == name).values(**values))

    def mood(self, name: str, mood: str) -> None:
        self.vendors[name].mood = mood

    async def ask(self, model: str, user: str = "bob", allowed: Sequence[str] = ()) -> Completion:
        request = Request(model, (Turn(Role.USER, "Hello"),))
        call = Call(user, request, "api", allowed_models=frozenset(allowed))
        async with self.gateway.open(call) as completion:
            said = [event.text async for event in completion if isinstance(event, TextDelta)]
        assert "".join(said) == "Good morning, Alice."
        return completion

    async def entries(self) -> list[LedgerEntry]:
        await self.gateway.flush()
        async with self.database.reading() as session:
            return list(await session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)))

    def asked(self, name: str) -> int:
        return len(self.vendors[name].keys_seen)


@pytest.fixture
async def market(app: FastAPI, database: Database) -> AsyncIterator[Market]:
    vault: Vault = app.state.vault
    market = Market(app.state.gateway, database)
    async with AsyncExitStack() as running:
        for name in ("north", "south", "cellar"):
            market.vendors[name] = vendor = await running.enter_async_context(running_vendor())
            async with database.writing() as session:
                connection = Connection(
                    name=name,
                    label=name.title(),
                    kind="openai-compatible",
                    base_url=vendor.url,
                    # Nobody needs to ask for its list meanwhile.
                    refreshed_at=now(),
                )
                connection.encrypted_key = vault.encrypt(GOOD_KEY)
                session.add(connection)
                await session.flush()
                for model in ("gpt", "solo") if name == "north" else ("gpt",):
                    session.add(
                        Model(connection_id=connection.id, name=model, display_name=model, is_enabled=True)
                    )
        yield market
