"""Lists of models stay fresh by themselves, whatever providers do."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.catalog import discovery
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.providers.base import ModelInfo
from tests.catalog.vendor import Vendor, vendor  # noqa: F401  (a fixture)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"provider_retries": 0})


@pytest.fixture
async def connection(database: Database, vendor: Vendor) -> Connection:  # noqa: F811
    vendor.keys.add("")
    async with database.writing() as session:
        connection = Connection(name="vendor", label="Vendor", kind="openai-compatible", base_url=vendor.url)
        session.add(connection)
    return connection


async def a_round(app: FastAPI) -> None:
    await discovery.refresh_due(app.state.database, app.state.providers)


async def change(database: Database, **values: object) -> None:
    async with database.writing() as session:
        await session.execute(update(Connection).values(**values))


async def test_a_list_older_than_a_day_is_refreshed_once(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
    connection: Connection,
) -> None:
    await a_round(app)
    assert len(vendor.keys_seen) == 1, "a connection without a list is asked"
    await a_round(app)
    assert len(vendor.keys_seen) == 1, "a fresh list is left alone"

    long_ago = now() - timedelta(days=1, minutes=1)
    await change(database, refreshed_at=long_ago, refresh_tried_at=long_ago)
    await a_round(app)
    await a_round(app)
    assert len(vendor.keys_seen) == 2


async def test_a_failing_provider_is_asked_again_only_later(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
    connection: Connection,
) -> None:
    vendor.keys.clear()
    for _ in range(3):
        await a_round(app)
    assert len(vendor.keys_seen) == 1

    await change(database, refresh_tried_at=now() - timedelta(hours=2))
    await a_round(app)
    assert len(vendor.keys_seen) == 2


async def test_a_server_that_was_away_is_soon_noticed_again(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
    connection: Connection,
) -> None:
    away = {"last_error_at": now(), "last_error_code": "not_reachable", "refreshed_at": now()}
    await change(database, **away, refresh_tried_at=now() - timedelta(minutes=2))

    await a_round(app)

    async with database.reading() as session:
        assert not (await session.get_one(Connection, connection.id)).is_failing


async def test_connections_that_are_off_are_left_alone(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
    connection: Connection,
) -> None:
    await change(database, is_active=False)

    await a_round(app)

    assert vendor.keys_seen == []


async def test_an_answer_about_an_address_that_was_changed_meanwhile_is_dropped(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = discovery._ask

    async def ask_slowly(*arguments: object) -> discovery.Answer:
        answer = await asked(*arguments)  # type: ignore[arg-type]
        await change(database, base_url="http://127.0.0.1:9/v1")
        return answer

    monkeypatch.setattr(discovery, "_ask", ask_slowly)
    await discovery.refresh(database, app.state.providers, connection.id)

    async with database.reading() as session:
        assert (await session.scalars(select(Model))).all() == []


async def test_a_list_with_the_same_name_twice_is_stored_once(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
    connection: Connection,
) -> None:
    vendor.models = ["gpt", "gpt", "org/gpt:7b"]

    await discovery.refresh(database, app.state.providers, connection.id)

    async with database.reading() as session:
        names = (await session.scalars(select(Model.name).order_by(Model.name))).all()
    assert names == ["gpt", "org/gpt:7b"]


@pytest.mark.parametrize("name", ["", "a\x00b", "a\nb", "a\tb", " a", "a ", "a\u202eb", "a" * 301])
async def test_a_name_that_nobody_could_write_keeps_the_others_from_nothing(
    app: FastAPI,
    database: Database,
    vendor: Vendor,  # noqa: F811
    connection: Connection,
    name: str,
) -> None:
    vendor.models = ["gpt", name, "org/gpt:7b (preview) – größer"]

    await discovery.refresh(database, app.state.providers, connection.id)

    async with database.reading() as session:
        names = (await session.scalars(select(Model.name).order_by(Model.name))).all()
    assert names == ["gpt", "org/gpt:7b (preview) – größer"]


async def test_what_is_told_of_a_model_is_one_line_that_can_be_seen(
    database: Database, connection: Connection
) -> None:
    told = "Great\x00\n \u202emodel" + "!" * 400
    info = ModelInfo("gpt", told, family=told, parameters=told, quantization=told)

    async with database.writing() as session:
        await discovery.store(session, await session.get_one(Connection, connection.id), [info])

    async with database.reading() as session:
        model = (await session.scalars(select(Model))).one()
    for text in (model.display_name, model.family, model.parameters, model.quantization):
        assert text is not None
        assert text.startswith("Great model!!!")
        assert len(text) == 300
