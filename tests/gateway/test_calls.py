"""Calls of models: metered however they end, and refused with a sentence when they cannot be made."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import anyio
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.catalog.access import ModelNotUsable
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.crypto import Vault
from app.core.database import Database
from app.core.settings import Settings
from app.gateway.calls import Call, Completion, Gateway
from app.providers.base import Image, Request, Role, Turn
from app.providers.errors import BrokenOff, ProviderError, RateLimited, TimedOut
from app.providers.events import TextDelta
from app.usage.models import LedgerEntry, Outcome
from tests.catalog.vendor import GOOD_KEY, OTHER_KEY, Vendor, vendor  # noqa: F401  (a fixture)
from tests.waiting import until


@pytest.fixture
def settings(settings: Settings) -> Settings:
    quick = {"provider_first_token_timeout": 1.0, "provider_idle_timeout": 1.0, "provider_retries": 0}
    return settings.model_copy(update=quick)


@pytest.fixture
def gateway(app: FastAPI) -> Gateway:
    gateway: Gateway = app.state.gateway
    return gateway


@pytest.fixture
async def models(app: FastAPI, database: Database, vendor: Vendor) -> None:  # noqa: F811
    """`echo/…` answers by itself, `vendor/gpt` needs a key."""
    vault: Vault = app.state.vault
    async with database.writing() as session:
        echo = Connection(name="echo", label="Echo", kind="echo")
        other = Connection(
            name="vendor",
            label="Vendor",
            kind="openai-compatible",
            base_url=vendor.url,
            encrypted_key=vault.encrypt(GOOD_KEY),
        )
        session.add_all([echo, other])
        await session.flush()
        for connection, name in ((echo, "echo-fast"), (echo, "echo-slow"), (other, "gpt")):
            session.add(Model(connection_id=connection.id, name=name, display_name=name, is_enabled=True))


pytestmark = pytest.mark.usefixtures("models")


def call(text: str, model: str = "echo/echo-fast") -> Call:
    return Call("alice", Request(model, (Turn(Role.USER, text),)), origin="api")


async def ask(
    gateway: Gateway, wanted: Call, on_word: Callable[[], object] = lambda: None
) -> tuple[str, Completion]:
    text = ""
    async with gateway.open(wanted) as completion:
        async for event in completion:
            if isinstance(event, TextDelta):
                text += event.text
                on_word()
    return text, completion


async def only_entry(gateway: Gateway, database: Database) -> LedgerEntry:
    await gateway.flush()
    async with database.reading() as session:
        return (await session.scalars(select(LedgerEntry))).one()


async def test_a_finished_call_is_entered_with_the_reported_figures(
    gateway: Gateway, database: Database
) -> None:
    text, completion = await ask(gateway, call("one two three", "vendor/gpt"))

    assert text == "Good morning, Alice."
    entry = await only_entry(gateway, database)
    assert (entry.connection, entry.model, entry.user_id, entry.origin) == ("vendor", "gpt", "alice", "api")
    assert (entry.input_tokens, entry.output_tokens, entry.is_estimate) == (21, 3, False)
    assert entry.outcome == Outcome.FINISHED == completion.receipt.outcome
    assert entry.first_token_ms is not None
    assert entry.first_token_ms <= entry.total_ms == completion.receipt.total_ms


async def test_a_call_that_is_left_early_is_entered_as_stopped_with_an_estimate(
    gateway: Gateway, database: Database
) -> None:
    async with gateway.open(call("/long 500 tell me")) as completion:
        async for _ in completion:
            break

    entry = await only_entry(gateway, database)
    assert entry.outcome == Outcome.STOPPED
    assert entry.is_estimate
    assert entry.input_tokens > 0
    assert entry.output_tokens > 0


async def test_a_cancelled_call_is_entered_all_the_same(gateway: Gateway, database: Database) -> None:
    heard = asyncio.Event()
    task = asyncio.create_task(ask(gateway, call("/stall one two three four"), heard.set))
    await heard.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert (await only_entry(gateway, database)).outcome == Outcome.STOPPED


async def test_a_call_in_a_cancelled_scope_is_entered_all_the_same(
    gateway: Gateway, database: Database
) -> None:
    """As servers cancel: every further await inside the scope is cancelled, too."""
    with anyio.CancelScope() as scope:
        await ask(gateway, call("/stall one two three four"), scope.cancel)

    assert (await only_entry(gateway, database)).outcome == Outcome.STOPPED


async def test_a_call_that_fails_before_the_first_word_costs_nothing(
    gateway: Gateway, database: Database
) -> None:
    with pytest.raises(RateLimited):
        await ask(gateway, call("/fail rate_limited hello"))

    entry = await only_entry(gateway, database)
    assert (entry.outcome, entry.error_code) == (Outcome.FAILED, "rate_limited")
    assert (entry.input_tokens, entry.output_tokens, entry.is_estimate) == (0, 0, False)


async def test_a_call_that_breaks_off_is_entered_with_what_came(
    gateway: Gateway,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    vendor.mood = "breaking"

    with pytest.raises(BrokenOff):
        await ask(gateway, call("hello", "vendor/gpt"))

    entry = await only_entry(gateway, database)
    assert (entry.outcome, entry.error_code, entry.is_estimate) == (Outcome.FAILED, "broken_off", True)
    assert entry.output_tokens >= 3


async def test_a_silent_provider_times_out_and_its_connection_tells(
    gateway: Gateway,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    vendor.mood = "silent"

    with pytest.raises(TimedOut):
        await ask(gateway, call("hello", "vendor/gpt"))

    await gateway.flush()
    async with database.reading() as session:
        connection = await session.scalar(select(Connection).where(Connection.name == "vendor"))
    assert connection is not None
    assert connection.last_error_code == "timed_out"
    assert connection.is_failing


async def test_errors_name_neither_key_nor_question(
    gateway: Gateway,
    vendor: Vendor,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    vendor.keys.clear()
    with pytest.raises(ProviderError) as failure:
        await ask(gateway, call("my secret question", "vendor/gpt"))

    assert vendor.keys_seen == [GOOD_KEY]
    for secret in (GOOD_KEY, "my secret question"):
        assert secret not in f"{failure.value} {caplog.text}"


async def test_a_replaced_key_counts_with_the_next_call(
    app: FastAPI,
    gateway: Gateway,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    await ask(gateway, call("hello", "vendor/gpt"))
    vault: Vault = app.state.vault
    async with database.writing() as session:
        await session.execute(update(Connection).values(encrypted_key=vault.encrypt(OTHER_KEY)))
    vendor.keys = {OTHER_KEY}

    await ask(gateway, call("hello", "vendor/gpt"))

    assert vendor.keys_seen == [GOOD_KEY, OTHER_KEY]


async def test_a_model_that_cannot_be_used_is_refused_with_what_to_do(
    gateway: Gateway, database: Database
) -> None:
    async def refusal(model: str = "echo/echo-fast") -> str:
        with pytest.raises(ModelNotUsable) as error:
            await ask(gateway, call("hello", model))
        return error.value.message

    assert "Choose one first" in await refusal("")
    assert "any more" in await refusal("gone/echo")
    assert "any more" in await refusal("no-slash")
    async with database.writing() as session:
        await session.execute(update(Model).values(missing_since=now()))
    assert "no longer offers" in await refusal()
    async with database.writing() as session:
        await session.execute(update(Model).values(is_enabled=False, missing_since=None))
    assert "not open to people" in await refusal()
    async with database.writing() as session:
        await session.execute(update(Connection).values(is_active=False))
    assert "switched off" in await refusal()
    await gateway.flush()
    async with database.reading() as session:
        assert (await session.scalars(select(LedgerEntry))).all() == [], "what was never asked is not entered"


async def test_many_calls_at_once_hold_no_database_connection(gateway: Gateway, database: Database) -> None:
    """More calls than the pool has connections, all in the middle of their answers."""
    heard: set[int] = set()

    async def all_have_begun() -> bool:
        return len(heard) == 60

    async with anyio.create_task_group() as group:
        for number in range(60):
            group.start_soon(ask, gateway, call("/long 500", "echo/echo-slow"), partial(heard.add, number))
        await until(all_have_begun)
        async with database.reading() as session, asyncio.timeout(60):
            assert await session.scalar(select(Connection.name).limit(1)) is not None
        group.cancel_scope.cancel()
    await gateway.flush()
    async with database.reading() as session:
        assert len((await session.scalars(select(LedgerEntry))).all()) == 60


async def test_an_image_counts_in_an_estimate(gateway: Gateway, database: Database) -> None:
    picture = Turn(Role.USER, "what is this", images=(Image("image/png", b"x" * 50_000),))
    async with gateway.open(Call("alice", Request("echo/echo-slow", (picture,)), "api")) as completion:
        async for _ in completion:
            break

    assert 1_000 <= completion.receipt.usage.input < 1_100


async def test_news_of_a_key_that_was_replaced_meanwhile_does_not_count(
    app: FastAPI,
    gateway: Gateway,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    vendor.keys.clear()
    with pytest.raises(ProviderError):
        await ask(gateway, call("hello", "vendor/gpt"))
    vault: Vault = app.state.vault
    async with database.writing() as session:
        await session.execute(update(Connection).values(encrypted_key=vault.encrypt(OTHER_KEY)))

    await gateway.flush()

    async with database.reading() as session:
        connection = (await session.scalars(select(Connection).where(Connection.name == "vendor"))).one()
    assert not connection.is_failing
