"""Aliases and other names: who answers, who is asked next, and what never leaves the house."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select, update

from app.accounts.audit import COMMAND_LINE, Act
from app.accounts.models import Group
from app.catalog import aliases, connections, restrictions
from app.catalog.access import ModelNotUsable
from app.catalog.aliases import Share, Wish
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.crypto import Vault
from app.core.database import Database
from app.core.errors import Conflict
from app.core.settings import Settings
from app.gateway.calls import Call, Completion, Gateway
from app.providers.base import Request, Role, TextDelta, Turn
from app.providers.errors import BrokenOff, Overloaded, RateLimited
from app.providers.wire import retrying
from app.usage import budgets
from app.usage.budgets import Limit
from app.usage.models import (
    BudgetCounter,
    BudgetScope,
    LedgerEntry,
    Outcome,
    Period,
    PriceOverride,
    Unit,
)
from tests.cast import Cast
from tests.catalog.vendor import GOOD_KEY, Vendor, running_vendor

ACT = Act(COMMAND_LINE)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    quick = {"provider_first_token_timeout": 0.4, "provider_idle_timeout": 0.4, "provider_retries": 2}
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
            await aliases.add(session, Wish(name, shares, weighted, cloud), ACT)

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


async def test_a_limited_provider_gives_way_to_the_next(market: Market) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("north", "limited")

    completion = await market.ask("fast")

    assert (completion.model, completion.attempts) == ("south/gpt", 2)
    first, second = await market.entries()
    assert (first.connection, first.outcome, first.error_code) == ("north", Outcome.FAILED, "rate_limited")
    assert (first.input_tokens, first.output_tokens) == (0, 0)
    assert (second.connection, second.outcome, second.output_tokens) == ("south", Outcome.FINISHED, 3)


@pytest.mark.parametrize("mood", ["overloaded", "away", "silent", "lying"])
async def test_whatever_keeps_a_provider_from_answering_the_next_is_asked(market: Market, mood: str) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("north", mood)

    assert (await market.ask("fast")).model == "south/gpt"


async def test_a_key_that_cannot_be_read_gives_way_too(market: Market) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    await market.change("north", encrypted_key="gAAAA-of-another-house")

    assert (await market.ask("fast")).model == "south/gpt"


async def test_after_the_first_word_nobody_else_is_asked(market: Market) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("north", "breaking")

    with pytest.raises(BrokenOff):
        await market.ask("fast")

    assert market.asked("south") == 0


async def test_when_nobody_can_the_last_error_is_told(market: Market) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("north", "limited")
    market.mood("south", "overloaded")

    with pytest.raises(Overloaded):
        await market.ask("fast")

    # The last one is tried again, as a model alone would be.
    assert (market.asked("north"), market.asked("south")) == (1, 3)


async def test_a_connection_that_failed_rests_and_comes_back(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(market.gateway.circuits, "_clock", lambda: clock[0])
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("north", "limited")

    for _ in range(3):
        assert (await market.ask("fast")).model == "south/gpt"
    assert market.asked("north") == 1, "told to wait for 30 seconds, it was left alone"
    (rest,) = market.gateway.circuits.rests().values()
    assert rest.seconds_left == 30

    clock[0] += 30
    market.mood("north", "well")
    assert (await market.ask("fast")).model == "north/gpt"
    assert market.gateway.circuits.rests() == {}


async def test_when_all_rest_the_one_that_is_ready_first_is_asked(market: Market) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("north", "limited")
    market.mood("south", "limited")
    with pytest.raises(RateLimited):
        await market.ask("fast")

    market.mood("north", "well")
    market.mood("south", "well")

    assert (await market.ask("fast")).attempts == 1


async def test_a_model_asked_for_by_its_name_is_asked_while_it_rests(market: Market) -> None:
    market.mood("north", "limited")
    with pytest.raises(RateLimited):
        await market.ask("north/gpt")
    market.mood("north", "well")

    assert (await market.ask("north/gpt")).model == "north/gpt"


async def test_what_is_local_never_goes_on_to_the_cloud(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("private", "cellar/gpt", "north/gpt")
    market.mood("cellar", "overloaded")

    with pytest.raises(Overloaded):
        await market.ask("private")
    await market.change("cellar", is_active=False)
    with pytest.raises(ModelNotUsable, match="switched off"):
        await market.ask("private")

    assert market.asked("north") == 0


async def test_a_local_model_that_is_listed_no_more_sends_nobody_to_the_cloud(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("private", "cellar/gpt", "north/gpt")
    async with market.database.writing() as session:
        cellar = (await session.scalars(select(Connection).where(Connection.name == "cellar"))).one()
        await session.execute(delete(Model).where(Model.connection_id == cellar.id))

    with pytest.raises(ModelNotUsable, match="cellar/gpt"):
        await market.ask("private")
    async with market.database.writing() as session:
        with pytest.raises(Conflict, match="private"):
            await connections.remove(session, await connections.by_name(session, "cellar"), ACT)


async def test_a_local_connection_that_rests_sends_nobody_to_the_cloud(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("private", "cellar/gpt", "north/gpt")
    market.mood("cellar", "limited")
    for _ in range(2):
        with pytest.raises(RateLimited):
            await market.ask("private")

    assert market.asked("north") == 0


async def test_an_alias_may_allow_the_cloud_and_the_cloud_may_go_home(market: Market) -> None:
    await market.change("cellar", is_local=True)
    await market.alias("open", "cellar/gpt", "north/gpt", cloud=True)
    await market.alias("homewards", "south/gpt", "cellar/gpt")
    market.mood("cellar", "overloaded")
    assert (await market.ask("open")).model == "north/gpt"

    market.mood("cellar", "well")
    market.mood("south", "overloaded")
    assert (await market.ask("homewards")).model == "cellar/gpt"


async def test_weights_share_calls_out(market: Market) -> None:
    await market.alias("best", "north/gpt=3", "south/gpt=1", weighted=True)

    firsts = [(await market.gateway.routes("bob", "best")).first.model.connection for _ in range(4000)]

    assert 0.70 < Counter(firsts)["north"] / len(firsts) < 0.80


async def test_a_bare_name_works_while_it_is_unique(market: Market) -> None:
    assert (await market.ask("solo")).model == "north/solo"
    with pytest.raises(ModelNotUsable, match="cellar/gpt, north/gpt, south/gpt"):
        await market.ask("gpt")

    await market.change("cellar", is_active=False)
    await market.change("south", is_active=False)
    assert (await market.ask("gpt")).model == "north/gpt"


async def test_what_somebody_may_not_use_is_as_if_it_was_not_there(market: Market, cast: Cast) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    await market.alias("secret", "north/gpt", "north/solo")
    async with market.database.writing() as session:
        group = Group(name="Design", handle="design")
        session.add(group)
        await session.flush()
        north = (await session.scalars(select(Connection).where(Connection.name == "north"))).one()
        await restrictions.restrict(session, north, [group.id], ACT)

    assert (await market.ask("fast", cast.charlie.id)).model == "south/gpt"
    assert (await market.ask("fast", cast.alice.id)).model == "north/gpt", "administrators may use everything"
    for name in ("secret", "solo", "no-such-thing"):
        with pytest.raises(ModelNotUsable, match=f"There is no model “{name}” here"):
            await market.ask(name, cast.charlie.id)
    listed = (await cast.charlie.client.get("/api/models")).json()["models"]
    assert {model["id"]: model["stands_for"] for model in listed} == {
        "fast": ["south/gpt"],
        "cellar/gpt": [],
        "south/gpt": [],
    }


async def test_a_key_kept_to_one_model_gets_no_other_through_an_alias(market: Market) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("south", "overloaded")

    with pytest.raises(Overloaded):
        await market.ask("fast", allowed=["south/gpt"])
    assert market.asked("north") == 0
    assert (await market.ask("fast", allowed=["fast"])).model == "north/gpt"
    with pytest.raises(ModelNotUsable):
        await market.ask("fast", allowed=["cellar/gpt"])


async def test_a_call_of_a_known_name_asks_the_database_nothing(market: Market) -> None:
    await market.alias("fast", "north/gpt", "south/gpt")
    await market.gateway.routes("bob", "fast")
    await market.database.close()
    market.database.reading = None  # type: ignore[assignment, method-assign]

    assert (await market.gateway.routes("bob", "fast")).full_names == ("north/gpt", "south/gpt")


async def test_a_changed_alias_is_heeded_at_once(market: Market) -> None:
    await market.alias("fast", "north/gpt")
    assert (await market.ask("fast")).model == "north/gpt"
    async with market.database.writing() as session:
        alias = await aliases.by_name(session, "fast")
        await aliases.change(session, alias, Wish("fast", (Share("south/gpt"),)), ACT)
    assert (await market.ask("fast")).model == "south/gpt"
    async with market.database.writing() as session:
        await aliases.remove(session, await aliases.by_name(session, "fast"), ACT)
    with pytest.raises(ModelNotUsable):
        await market.ask("fast")


async def test_what_a_failed_attempt_held_is_there_for_the_next(market: Market, app: FastAPI) -> None:
    """A budget for one call at a time, which both would need whole."""
    async with market.database.writing() as session:
        for name in ("north", "south"):
            price = PriceOverride(connection=name, model="gpt", input=1_000_000, output=1_000_000)
            price.effective_from = now()
            session.add(price)
    async with market.database.writing() as session:
        everybody, limit = (BudgetScope.WORKSPACE, ""), Limit(1_000)
        await budgets.create(session, everybody, Unit.USD, Period.MONTH, limit, ACT)
    await market.alias("fast", "north/gpt", "south/gpt")
    market.mood("north", "limited")

    assert (await market.ask("fast")).model == "south/gpt"
    failed, answered = await market.entries()

    assert (failed.cost_micros, answered.cost_micros) == (0, 24)
    async with market.database.reading() as session:
        assert await session.scalar(select(func.sum(BudgetCounter.spent))) == 24
