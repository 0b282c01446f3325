"""Aliases and other names: who answers, and who is asked next."""

# ruff: noqa: F811  (fixtures are asked for by their names)

from collections import Counter

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.accounts.models import Group
from app.catalog import aliases, restrictions
from app.catalog.access import ModelNotUsable
from app.catalog.aliases import Share, WantedAlias
from app.catalog.models import Connection
from app.core.clock import now
from app.providers.errors import BrokenOff, Overloaded, RateLimited
from app.usage import budgets
from app.usage.budgets import Limit
from app.usage.models import (
    BudgetCounter,
    BudgetScope,
    Outcome,
    Period,
    PriceOverride,
    Unit,
)
from tests.cast import Cast
from tests.gateway.market import ACT, Market, market, no_pauses, settings  # noqa: F401  (fixtures)


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
        await aliases.change(session, alias, WantedAlias("fast", (Share("south/gpt"),)), ACT)
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
