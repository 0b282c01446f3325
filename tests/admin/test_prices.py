"""Administrators see which models have no price, set prices from a day on, and choose the currency."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import select

from app.accounts.models import AuditEvent, Group
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.database import Database
from app.usage.models import PriceOverride
from tests.cast import Cast, Visitor

HOME = "/admin/prices"


@pytest.fixture
async def models(app: FastAPI, database: Database) -> dict[str, str]:
    """One model of each sort, by name: on the list, free, and unknown. Returns their ids."""
    offered = {
        "gpt-4o-mini": ("openai", "openai", "https://api.openai.com/v1"),
        "llama3": ("ollama", "ollama", "http://127.0.0.1:9"),
        "house-model": ("workshop", "openai-compatible", "http://10.0.4.12/v1"),
    }
    ids = {}
    async with database.writing() as session:
        for name, (connection_name, kind, base_url) in offered.items():
            connection = Connection(name=connection_name, label=connection_name, kind=kind, base_url=base_url)
            session.add(connection)
            await session.flush()
            model = Model(connection_id=connection.id, name=name, display_name=name, is_enabled=True)
            session.add(model)
            await session.flush()
            ids[name] = model.id
    return ids


async def test_what_has_no_price_is_flagged_and_counted_beside_every_page(
    cast: Cast, models: dict[str, str]
) -> None:
    page = (await cast.alice.client.get(HOME)).text
    elsewhere = (await cast.alice.client.get("/admin/users")).text
    missing = (await cast.alice.client.get(HOME, params={"show": "missing"})).text

    assert "1 model has no price" in page
    assert '<span class="count push">1</span>' in elsewhere
    assert "house-model" in missing
    assert "llama3" not in missing
    # The list: GPT-4o mini in 0.15, cached 0.075, out 0.60
    for rate in ("$0.15", "$0.075", "$0.60", "Price list", "Own machine, free"):
        assert rate in page


async def test_a_price_that_is_set_counts_at_once(cast: Cast, models: dict[str, str]) -> None:
    address = f"{HOME}/{models['house-model']}"
    assert "No price" in (await cast.alice.client.get(address)).text

    response = await cast.alice.client.post(address, data={"input": "0.2", "output": "1.25"})

    assert response.status_code == 303
    page = (await cast.alice.client.get(HOME)).text
    assert "Set by alice" in page
    assert "$1.25" in page
    assert "has no price" not in page
    assert "Prices that were set" in (await cast.alice.client.get(address)).text


async def test_a_price_of_tomorrow_waits_for_tomorrow(
    cast: Cast, models: dict[str, str], database: Database
) -> None:
    address = f"{HOME}/{models['gpt-4o-mini']}"
    tomorrow = (now() + timedelta(days=1)).date().isoformat()

    await cast.alice.client.post(address, data={"input": "7", "output": "9", "since": tomorrow})

    page = (await cast.alice.client.get(address)).text
    assert "To come" in page
    assert "Price list" in page
    async with database.reading() as session:
        override = (await session.scalars(select(PriceOverride))).one()
    assert override.effective_from.isoformat() == f"{tomorrow}T00:00:00+00:00"


async def test_a_price_is_taken_away_and_its_history_stays(
    cast: Cast, models: dict[str, str], database: Database
) -> None:
    address = f"{HOME}/{models['gpt-4o-mini']}"
    await cast.alice.client.post(address, data={"input": "7", "output": "9"})
    assert "Use the list" in (await cast.alice.client.get(address)).text

    assert (await cast.alice.client.post(f"{address}/removal")).status_code == 303

    page = (await cast.alice.client.get(address)).text
    assert "Price list" in page
    assert "The list's price again" in page
    assert "$7" in page
    assert (await cast.alice.client.post(f"{address}/removal")).status_code == 404
    async with database.reading() as session:
        actions = list(
            await session.scalars(select(AuditEvent.action).where(AuditEvent.subject == "openai/gpt-4o-mini"))
        )
    assert sorted(actions) == ["price.removed", "price.set"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"input": ""}, "input"),
        ({"input": "-1"}, "input"),
        ({"output": "nan"}, "output"),
        ({"output": "1e30"}, "output"),
        ({"cached_input": "cheap"}, "cached_input"),
        ({"cache_write": "0.0000001"}, "cache_write"),
        ({"since": "tomorrow"}, "since"),
        ({"since": "0001-01-01"}, "since"),
        ({"since": "9999-12-31"}, "since"),
    ],
)
async def test_nonsense_comes_back_with_a_sentence_and_what_was_typed(
    cast: Cast, models: dict[str, str], wrong: dict[str, str], field: str
) -> None:
    address = f"{HOME}/{models['house-model']}"

    response = await cast.alice.client.post(address, data={"input": "1.5", "output": "2.5"} | wrong)

    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert 'value="1.5"' in response.text or field == "input"
    assert "No price" in (await cast.alice.client.get(address)).text


async def test_electricity_fills_in_the_form(cast: Cast, models: dict[str, str]) -> None:
    address = f"{HOME}/{models['llama3']}"
    machine = {"watts": "360", "dollars_per_kwh": "0.3", "written_per_second": "50"}

    page = await cast.alice.client.get(address, params=machine)
    refused = await cast.alice.client.get(address, params=machine | {"watts": "lots"})
    forgotten = await cast.alice.client.get(address, params=machine | {"watts": ""})

    assert 'name="output" type="text" value="0.6"' in page.text
    assert "Own machine, free" in page.text, "nothing was changed yet"
    assert refused.status_code == 422
    assert 'id="watts-error"' in refused.text
    assert 'id="watts-error"' in forgotten.text


async def change_currency(cast: Cast, **fields: str) -> Response:
    return await cast.alice.client.post(f"{HOME}/currency", data=fields)


async def test_the_currency_is_changed_with_the_day_of_its_rate(cast: Cast, app: FastAPI) -> None:
    response = await change_currency(cast, code="eur", rate="0.92", on="2026-11-20")

    assert response.status_code == 303
    assert app.state.workspace.currency == "EUR"
    page = (await cast.alice.client.get(HOME)).text
    for value in ('value="EUR"', 'value="0.92"', "20 November 2026", "0.92 EUR"):
        assert value in page
    wrong = await change_currency(cast, code="EUR", rate="a lot")
    assert wrong.status_code == 422
    assert 'id="rate-error"' in wrong.text
    assert 'value="a lot"' in wrong.text


async def test_rates_are_kept_and_the_newest_counts(cast: Cast, app: FastAPI) -> None:
    await change_currency(cast, code="EUR", rate="0.90", on="2026-11-10")
    await change_currency(cast, code="EUR", rate="0.80", on="2026-10-01")
    assert app.state.workspace.exchange_rate_micros == 900_000, "an earlier day only completes the history"

    await change_currency(cast, code="EUR", rate="0.91", on="2026-11-10")
    assert app.state.workspace.exchange_rate_micros == 910_000, "a mistake of the same day is corrected"
    page = (await cast.alice.client.get(HOME)).text
    for rate in ("0.9 EUR", "0.8 EUR", "0.91 EUR"):
        assert rate in page

    tomorrow = (now() + timedelta(days=2)).date().isoformat()
    early = await change_currency(cast, code="EUR", rate="0.95", on=tomorrow)
    assert early.status_code == 422
    assert 'id="on-error"' in early.text

    await change_currency(cast, code="USD")
    await change_currency(cast, code="EUR", rate="0.92", on="2026-11-12")
    assert app.state.workspace.exchange_rate_micros == 920_000


async def test_a_statement_keeps_the_rate_that_held_when_its_month_ended(
    cast: Cast, database: Database
) -> None:
    await cast.alice.client.post("/admin/groups", data={"name": "Design"})
    async with database.reading() as session:
        group = (await session.scalars(select(Group))).one()
    await change_currency(cast, code="EUR", rate="0.80", on="2026-09-15")
    await change_currency(cast, code="EUR", rate="0.90", on="2026-10-31")
    await change_currency(cast, code="EUR", rate="0.95", on="2026-11-01")

    of_month = {}
    for month in ("2026-08", "2026-09", "2026-10"):
        page = await cast.alice.client.get(f"/usage/groups/{group.id}/statement", params={"month": month})
        of_month[month] = page.text

    assert "1 USD = 0.8 EUR, the rate of 15 September 2026" in of_month["2026-09"]
    assert "1 USD = 0.9 EUR, the rate of 31 October 2026" in of_month["2026-10"]
    assert "0.8 EUR" in of_month["2026-08"], "the oldest that is known"


async def test_members_learn_nothing(cast: Cast, models: dict[str, str], client: Visitor) -> None:
    model = models["gpt-4o-mini"]
    for address in (HOME, f"{HOME}/{model}"):
        assert (await cast.bob.client.get(address)).status_code == 404
        assert (await client.get(address)).status_code == 303
    for address in (f"{HOME}/{model}", f"{HOME}/{model}/removal", f"{HOME}/currency"):
        posted = await cast.bob.client.post(address, data={"input": "0", "output": "0", "code": "EUR"})
        assert posted.status_code == 404


async def test_models_that_are_not_there_are_not_found(cast: Cast) -> None:
    assert (await cast.alice.client.get(f"{HOME}/nobody")).status_code == 404
    assert (await cast.alice.client.post(f"{HOME}/nobody", data={})).status_code == 404
    assert (await cast.alice.client.post(f"{HOME}/nobody/removal")).status_code == 404
