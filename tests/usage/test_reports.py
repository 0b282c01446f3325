"""/usage: everybody sees their own, managers their group's, administrators all; as a page, CSV and JSON."""

import csv
import io
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.accounts import groups, memberships
from app.accounts.audit import COMMAND_LINE, Act
from app.accounts.people import by_id
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.usage.models import Outcome
from tests.cast import Cast, Person, Visitor, signed_in
from tests.usage.recording import uses

ACT = Act(COMMAND_LINE)


async def make_group(database: Database, name: str, manager: Person, *others: Person) -> str:
    async with database.writing() as session:
        group = await groups.create(session, name, ACT)
        for person in (manager, *others):
            user = await by_id(session, person.id)
            await memberships.put(session, group, user, ACT, is_manager=person is manager, is_main=True)
    return group.id


async def report(browser: AsyncClient, path: str = "/api/usage") -> dict[str, object]:
    response = await browser.get(path)
    assert response.status_code == 200, response.text
    answer: dict[str, object] = response.json()
    return answer


async def test_a_member_sees_only_his_own(cast: Cast, database: Database) -> None:
    await uses(database, cast.bob)
    await uses(database, cast.charlie, cost_micros=9_990_000, model="secret-model")

    page = (await cast.bob.client.get("/usage")).text

    assert "$3.25" in page
    assert "secret-model" not in page
    assert "$9.99" not in page
    assert "$13.24" in (await cast.alice.client.get("/admin/usage")).text, "the premise: there is more to see"


@pytest.mark.parametrize(
    "wish", ["user={other}", "group=nonsense", "user={other}&period=year", "key=x&user={other}"]
)
async def test_no_filter_widens_what_is_seen(cast: Cast, database: Database, wish: str) -> None:
    await uses(database, cast.charlie, cost_micros=9_990_000)

    for path in ("/usage", "/usage/export", "/api/usage"):
        response = await cast.bob.client.get(f"{path}?{wish.format(other=cast.charlie.id)}")
        assert response.status_code == 200
        assert "9.99" not in response.text
        assert "9990000" not in response.text


async def test_a_manager_sees_what_the_group_pays_for_and_nothing_else(
    cast: Cast, database: Database, app: FastAPI
) -> None:
    dina = await signed_in(app, "dina", "Dina Evans")
    design = await make_group(database, "Design", cast.bob, dina)
    research = await make_group(database, "Research", cast.charlie)
    await uses(database, dina, group_id=design)
    await uses(database, cast.charlie, group_id=research, cost_micros=9_990_000)

    page = (await cast.bob.client.get(f"/usage/groups/{design}")).text
    assert "Dina Evans" in page
    assert "$3.25" in page
    assert "$9.99" not in page
    assert f"/usage/groups/{design}" in (await cast.bob.client.get("/usage")).text

    for path in ("", "/export", "/statement"):
        assert (await cast.bob.client.get(f"/usage/groups/{research}{path}")).status_code == 404
        assert (await dina.client.get(f"/usage/groups/{design}{path}")).status_code == 404, (
            "a member is no manager"
        )
        assert (await cast.alice.client.get(f"/usage/groups/{research}{path}")).status_code == 200
    assert (await cast.bob.client.get(f"/api/usage/groups/{research}")).status_code == 404
    widened = await report(
        cast.bob.client, f"/api/usage/groups/{design}?group={research}&user={cast.charlie.id}"
    )
    assert widened["total"]["requests"] == 0  # type: ignore[index]


async def test_titles_are_for_those_who_own_them(cast: Cast, database: Database) -> None:
    chat = await cast.bob.starts_a_chat("Salaries")
    await uses(database, cast.bob, origin=f"chat:{chat.id}")

    assert "Salaries" in (await cast.bob.client.get("/usage")).text
    for page in ("/admin/usage", f"/admin/usage?user={cast.bob.id}"):
        shown = (await cast.alice.client.get(page)).text
        assert "One of Bob Archer’s" in shown
        assert "Salaries" not in shown


async def test_the_figures_of_a_small_month(cast: Cast, database: Database) -> None:
    await uses(database, cast.bob)
    await uses(database, cast.bob, model="gpt-5-mini", cost_micros=50_000, origin="api")
    await uses(database, cast.bob, cost_micros=None, outcome=Outcome.STOPPED, model="unheard-of")

    found = await report(cast.bob.client)

    assert found["total"] == {
        "requests": 3,
        "input_tokens": 3_000,
        "cache_read_tokens": 1_800,
        "cache_write_tokens": 0,
        "output_tokens": 600,
        "reasoning_tokens": 0,
        "cost_micros": 3_300_000,
        "unpriced": 1,
        "stopped": 1,
        "failed": 0,
    }
    models = found["models"]
    assert [line["model"] for line in models] == ["openai/gpt-5", "openai/gpt-5-mini", "openai/unheard-of"]  # type: ignore[attr-defined,index]
    assert models[0]["first_token_ms_p50"] == pytest.approx(400, rel=0.2)  # type: ignore[index]
    page = (await cast.bob.client.get("/usage")).text
    assert "No price" in page
    assert "1 request has no price" in page


@pytest.mark.parametrize(
    ("wish", "requests"),
    [
        ("", 3),
        ("model=openai/gpt-5", 2),
        ("provider=house", 1),
        ("origin=api", 1),
        ("origin=chat&model=openai/gpt-5", 1),
        ("key=nightly", 1),
        ("model=nobody/knows", 0),
        ("period=7d", 3),
        ("period=year", 4),
        ("from={day}&to={day}", 1),
        ("from={day}", 4),
    ],
)
async def test_filters_and_days_are_in_the_address(
    cast: Cast, database: Database, wish: str, requests: int
) -> None:
    await uses(database, cast.bob)
    await uses(database, cast.bob, origin="api", api_key_id="nightly")
    await uses(database, cast.bob, connection="house", model="qwen")
    await uses(database, cast.bob, days_ago=40)
    day = (now() - timedelta(days=40)).date()

    found = await report(cast.bob.client, f"/api/usage?{wish.format(day=day)}")

    assert found["total"]["requests"] == requests  # type: ignore[index]
    assert (await cast.bob.client.get(f"/usage?{wish.format(day=day)}")).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        "from=nonsense",
        "from=2026-11-02&to=2026-11-01",
        "from=1000-01-01",
        "from=2001-01-01",
        "to=9999-12-31",
        "from=2026-02-30",
    ],
)
async def test_days_that_do_not_fit_are_told(cast: Cast, wish: str) -> None:
    for path in ("/usage", "/usage/export", "/api/usage"):
        assert (await cast.bob.client.get(f"{path}?{wish}")).status_code == 422


async def test_nonsense_in_filters_never_breaks(cast: Cast) -> None:
    for name in ("period", "by", "show", "user", "group", "key", "provider", "model", "origin", "plan"):
        for value in ("%00", "'--", "%F0%9F%92%A9", "/", "-1"):
            assert (await cast.alice.client.get(f"/admin/usage?{name}={value}")).status_code < 500, (
                name,
                value,
            )


@pytest.mark.parametrize("end", [";", "\t", "|", "\n", "\r"])
async def test_no_name_becomes_a_formula_where_cells_end_otherwise(
    cast: Cast, database: Database, end: str
) -> None:
    await uses(database, cast.bob, model=f"gpt{end}=1+1")

    table = await cast.bob.client.get("/usage/export?format=csv")

    assert f"gpt{end}'=1+1" in table.text


async def test_no_name_becomes_a_formula_behind_a_quotation_mark(cast: Cast, database: Database) -> None:
    await uses(database, cast.bob, model='gpt;"=1+1;y')

    table = await cast.bob.client.get("/usage/export?format=csv")

    cells = [cell for line in csv.reader(io.StringIO(table.text), delimiter=";") for cell in line]
    assert "y" in "".join(cells)
    assert not [cell for cell in cells if cell.startswith("=")]


async def test_the_export_is_what_is_on_screen(cast: Cast, database: Database) -> None:
    await uses(database, cast.bob)
    await uses(database, cast.bob, model="=HYPERLINK()", cost_micros=None)

    table = await cast.bob.client.get("/usage/export?format=csv")
    lines = list(csv.DictReader(io.StringIO(table.text)))
    listed = (await cast.bob.client.get("/usage/export?format=json")).json()

    assert table.headers["content-disposition"].startswith('attachment; filename="usage-')
    assert {line["model"]: line["cost_usd"] for line in lines} == {"gpt-5": "3.25", "'=HYPERLINK()": ""}
    assert {line["model"]: line["cost_usd"] for line in listed} == {"gpt-5": "3.25", "=HYPERLINK()": None}
    assert {line["person"] for line in lines} == {"Bob Archer"}
    only = await cast.bob.client.get("/usage/export?format=json&model=openai/gpt-5")
    assert [line["model"] for line in only.json()] == ["gpt-5"]
    assert (await cast.charlie.client.get("/usage/export?format=json")).json() == []


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n"])
async def test_no_name_becomes_a_formula_in_a_spreadsheet(cast: Cast, database: Database, sign: str) -> None:
    await uses(database, cast.bob, model=f"{sign}HYPERLINK()")

    table = await cast.bob.client.get("/usage/export?format=csv")

    (line,) = csv.DictReader(io.StringIO(table.text, newline=""))
    assert line["model"] == f"'{sign}HYPERLINK()"


async def test_what_was_counted_too_much_stays_a_figure(cast: Cast, database: Database) -> None:
    await uses(database, cast.bob, cost_micros=-250_000, input_tokens=-1_000, correction_of="yesterday's")

    table = await cast.bob.client.get("/usage/export?format=csv")

    (line,) = csv.DictReader(io.StringIO(table.text))
    assert (line["cost_usd"], line["input_tokens"]) == ("-0.25", "-1000")


async def test_an_export_goes_on_after_its_first_piece(
    cast: Cast, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.usage.export.LINES_AT_ONCE", 2)
    for number in range(5):
        await uses(database, cast.bob, model=f"model-{number}")

    listed = (await cast.bob.client.get("/usage/export?format=json")).json()

    assert sorted(line["model"] for line in listed) == [f"model-{number}" for number in range(5)]


async def test_a_statement_has_every_line_of_its_month(cast: Cast, database: Database) -> None:
    design = await make_group(database, "Design", cast.bob)
    await uses(database, cast.bob, group_id=design)

    page = (await cast.bob.client.get(f"/usage/groups/{design}/statement?month={now():%Y-%m}")).text

    assert "Usage of Design" in page
    assert "Bob Archer" in page
    assert page.count("$3.25") == 4, "a person, a model, and both sums"
    for month in ("2999-01", "nonsense", "2026-13"):
        response = await cast.bob.client.get(f"/usage/groups/{design}/statement?month={month}")
        assert response.status_code == 422


async def test_other_models_are_compared_at_their_prices(cast: Cast, database: Database) -> None:
    async with database.writing() as session:
        house = Connection(name="house", label="House", kind="ollama")
        session.add(house)
        await session.flush()
        session.add(Model(connection_id=house.id, name="qwen", display_name="Qwen", is_enabled=True))
    await uses(database, cast.bob)

    page = (await cast.bob.client.get("/usage")).text
    planned = (await cast.bob.client.get("/usage?plan=month&people=3&messages=5")).text

    assert "Would have cost" in page
    assert "\u2212$3.25" in page, "at home it costs nothing"
    assert "Would cost" in planned
    assert 'value="3"' in planned
    assert planned.count("required") == 4, "nobody sends a plan with a field left empty"


class TestMetrics:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"metrics_token": "lighthouse"})

    async def test_they_need_the_token(self, client: Visitor, cast: Cast, database: Database) -> None:
        await uses(database, cast.bob)
        headers = {"authorization": "Bearer lighthouse"}

        told = await client.get("/metrics", headers=headers)

        assert told.status_code == 200
        assert 'parley_requests_total{connection="openai",model="gpt-5"} 1\n' in told.text
        for wrong in ({}, {"authorization": "Bearer wrong"}, {"authorization": ""}):
            assert (await client.get("/metrics", headers=wrong)).status_code == 404


async def test_there_are_no_metrics_unless_wanted(client: Visitor, cast: Cast) -> None:
    assert (await client.get("/metrics", headers={"authorization": "Bearer "})).status_code == 404


class TestOnPostgres:
    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_every_view_works(self, cast: Cast, database: Database) -> None:
        design = await make_group(database, "Design", cast.bob)
        await uses(database, cast.bob, group_id=design)
        for path in (
            "/admin/usage",
            "/admin/usage?period=year&show=tokens",
            f"/admin/usage?user={cast.bob.id}",
            f"/usage/groups/{design}",
            f"/usage/groups/{design}/statement",
            "/admin/usage/export",
            "/api/usage/workspace",
            "/admin/usage?from=2026-01-15",
        ):
            response = await cast.alice.client.get(path)
            assert response.status_code == 200, path
        found = await report(cast.bob.client)
        assert found["total"]["cost_micros"] == 3_250_000  # type: ignore[index]
