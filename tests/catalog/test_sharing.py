"""Several keys of one connection: they share the load, and one that is limited rests while the others go on."""

from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.catalog.models import Connection, ConnectionKey, Model
from app.core.clock import now
from app.core.crypto import Vault
from app.core.database import Database
from app.core.settings import Settings
from app.gateway.calls import Call, Gateway
from app.providers.base import Request, Role, Turn
from app.providers.errors import NotPermitted, RateLimited
from app.usage.models import LedgerEntry
from tests.cast import Cast
from tests.catalog.vendor import GOOD_KEY, OTHER_KEY, Vendor, vendor  # noqa: F401  (a fixture)

THIRD_KEY = "sk-vendor-5h6j7k8l9m0n1p2q3r4s"
QUESTION = Request("vendor/gpt-large", (Turn(Role.USER, "Hello"),))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"provider_first_token_timeout": 1.5, "provider_retries": 1})


@dataclass
class Stage:
    """A connection with one key, and its settings' page."""

    cast: Cast
    gateway: Gateway
    vendor: Vendor
    connection: Connection
    address: str = field(init=False)

    def __post_init__(self) -> None:
        self.address = f"/admin/connections/{self.connection.id}"

    async def add(self, *keys: str) -> int:
        response = await self.cast.alice.client.post(f"{self.address}/keys", data={"keys": "\n".join(keys)})
        return response.status_code

    async def page(self) -> str:
        return (await self.cast.alice.client.get(self.address)).text

    async def ask(self) -> str:
        """Ask; the key with which the vendor was asked last."""
        async with self.gateway.open(Call("bob", QUESTION, "api")) as completion:
            async for _ in completion:
                pass
        return self.vendor.keys_seen[-1]


@pytest.fixture
async def stage(app: FastAPI, cast: Cast, vendor: Vendor) -> Stage:  # noqa: F811
    vault: Vault = app.state.vault
    database: Database = app.state.database
    vendor.keys = {GOOD_KEY, OTHER_KEY, THIRD_KEY}
    async with database.writing() as session:
        connection = Connection(
            name="vendor", label="Vendor", kind="openai-compatible", base_url=vendor.url, refreshed_at=now()
        )
        connection.encrypted_key = vault.encrypt(GOOD_KEY)
        session.add(connection)
        await session.flush()
        session.add(Model(connection_id=connection.id, name="gpt-large", display_name="GPT", is_enabled=True))
    return Stage(cast, app.state.gateway, vendor, connection)


async def test_keys_added_on_the_page_are_used_in_turn_from_the_next_call_on(stage: Stage) -> None:
    assert await stage.ask() == GOOD_KEY

    assert await stage.add(OTHER_KEY, "", f"  {THIRD_KEY} ") == 303

    assert {await stage.ask() for _ in range(3)} == {GOOD_KEY, OTHER_KEY, THIRD_KEY}
    page = await stage.page()
    assert "••••" + OTHER_KEY[-4:] in page
    assert OTHER_KEY not in page


async def test_a_limited_key_rests_and_the_others_go_on_at_once(stage: Stage) -> None:
    await stage.add(OTHER_KEY)
    stage.vendor.limited_keys = {GOOD_KEY}

    answered = [await stage.ask() for _ in range(4)]

    assert answered == [OTHER_KEY] * 4
    assert stage.vendor.keys_seen.count(GOOD_KEY) == 1, "it is not asked again before its time"


async def test_a_refused_key_rests_too(stage: Stage) -> None:
    await stage.add(OTHER_KEY)
    stage.vendor.keys = {OTHER_KEY}

    assert [await stage.ask() for _ in range(3)] == [OTHER_KEY] * 3


async def test_what_is_not_permitted_says_nothing_against_the_key(stage: Stage) -> None:
    await stage.add(OTHER_KEY)
    stage.vendor.mood = "forbidding"
    with pytest.raises(NotPermitted, match="does not allow this request"):
        await stage.ask()
    await stage.gateway.flush()
    assert len(stage.vendor.keys_seen) == 1, "another key would be refused as well"
    assert "Key rejected" not in await stage.page()

    stage.vendor.mood = "well"

    assert {await stage.ask() for _ in range(2)} == {GOOD_KEY, OTHER_KEY}


async def test_when_every_key_is_limited_the_call_is_told_so(stage: Stage) -> None:
    await stage.add(OTHER_KEY)
    stage.vendor.mood = "limited"

    with pytest.raises(RateLimited):
        await stage.ask()

    await stage.gateway.flush()


async def test_the_ledger_counts_each_key_that_was_asked(stage: Stage, database: Database) -> None:
    await stage.add(OTHER_KEY)
    stage.vendor.limited_keys = {GOOD_KEY}
    await stage.ask()
    await stage.gateway.flush()

    async with database.reading() as session:
        entry = (await session.scalars(select(LedgerEntry))).one()
    assert (entry.attempts, entry.output_tokens) == (2, 3)


async def test_a_removed_key_is_used_no_more(stage: Stage, database: Database) -> None:
    await stage.add(OTHER_KEY)
    async with database.reading() as session:
        row = (await session.scalars(select(ConnectionKey))).one()

    response = await stage.cast.alice.client.post(f"{stage.address}/keys/{row.id}/deletion")

    assert response.status_code == 303
    assert {await stage.ask() for _ in range(3)} == {GOOD_KEY}


async def test_keys_are_stored_encrypted_and_once(stage: Stage, database: Database) -> None:
    await stage.add(OTHER_KEY, OTHER_KEY, GOOD_KEY)

    async with database.reading() as session:
        row = (await session.scalars(select(ConnectionKey))).one()
    assert OTHER_KEY not in row.encrypted_key


async def test_nonsense_is_no_key(stage: Stage) -> None:
    assert await stage.add("") == 422
    assert await stage.add("not a key") == 422
    assert await stage.add(*(f"sk-{number:020}" for number in range(60))) == 422


async def test_all_keys_go_with_the_first_and_with_a_move_to_another_server(
    stage: Stage, database: Database
) -> None:
    await stage.add(OTHER_KEY)
    form = {"label": "Vendor", "base_url": "https://elsewhere.example/v1"}

    await stage.cast.alice.client.post(stage.address, data=form)

    async with database.reading() as session:
        assert (await session.scalars(select(ConnectionKey))).all() == []


async def test_members_find_no_such_page(stage: Stage) -> None:
    response = await stage.cast.bob.client.post(f"{stage.address}/keys", data={"keys": OTHER_KEY})

    assert response.status_code == 404
    assert await stage.ask() == GOOD_KEY
