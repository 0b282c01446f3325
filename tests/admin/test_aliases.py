"""Aliases at their doors: made, changed and removed by administrators, offered to everybody who may use them."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEvent
from app.catalog.models import Alias, Connection, Model
from app.core.database import Database
from tests.cast import Cast

HOME = "/admin/aliases"


@dataclass
class Stage:
    """Alice at the page of aliases."""

    cast: Cast
    database: Database

    async def makes(self, name: str, *targets: str, **form: str) -> tuple[int, str]:
        data = {"name": name, "targets": "\n".join(targets), **form}
        response = await self.cast.alice.client.post(HOME, data=data)
        return response.status_code, response.text

    async def address(self) -> str:
        async with self.database.reading() as session:
            return f"{HOME}/{(await session.scalars(select(Alias.id))).one()}"


@pytest.fixture
async def stage(cast: Cast, database: Database) -> Stage:
    async with database.writing() as session:
        for name in ("north", "south"):
            connection = Connection(name=name, label=name.title(), kind="echo")
            session.add(connection)
            await session.flush()
            session.add(
                Model(
                    connection_id=connection.id,
                    name="gpt",
                    display_name="GPT",
                    is_enabled=True,
                    context_window=8_000 if name == "north" else 4_000,
                    vision=True,
                    tools=name == "north",
                )
            )
    return Stage(cast, database)


async def test_an_alias_is_made_shown_changed_and_removed(stage: Stage) -> None:
    assert (await stage.makes("Fast", "north/gpt", "south/gpt"))[0] == 303
    alice = stage.cast.alice.client
    page = (await alice.get(HOME)).text
    assert ">fast<" in page
    assert page.index("north/gpt") < page.index("south/gpt")

    address = await stage.address()
    form = {"targets": "south/gpt=3\nnorth/gpt", "order": "weighted", "allows_cloud": "on"}
    assert (await alice.post(address, data=form)).status_code == 303
    page = (await alice.get(address)).text
    assert "south/gpt=3\nnorth/gpt=1" in page
    assert "may leave the house" in (await alice.get(HOME)).text

    assert (await alice.post(f"{address}/removal")).status_code == 303
    assert "There are no aliases yet" in (await alice.get(HOME)).text
    async with stage.database.reading() as session:
        log = await session.execute(
            select(AuditEvent.action, AuditEvent.detail).where(AuditEvent.action.startswith("alias"))
        )
    assert [tuple(row) for row in log] == [
        ("alias.created", "north/gpt, south/gpt"),
        ("alias.changed", "south/gpt=3, north/gpt=1; may leave the house"),
        ("alias.removed", ""),
    ]


@pytest.mark.parametrize(
    ("name", "targets", "says"),
    [
        ("", ["north/gpt"], "Choose a name"),
        ("a/b", ["north/gpt"], "Choose a name"),
        ("fast", [], "Name at least one model"),
        ("fast", ["north/none"], "There is no model “north/none”"),
        ("fast", ["north/gpt", "north/gpt"], "Name each model once"),
        ("fast", ["north/gpt=0"], "A weight is a number"),
        ("fast", ["north/gpt=100000"], "A weight is a number"),
    ],
)
async def test_what_does_not_fit_is_said_beside_its_field(
    stage: Stage, name: str, targets: list[str], says: str
) -> None:
    status, page = await stage.makes(name, *targets)

    assert status == 422
    assert says in page
    async with stage.database.reading() as session:
        assert (await session.scalars(select(Alias))).all() == []


async def test_a_name_is_taken_once(stage: Stage) -> None:
    await stage.makes("fast", "north/gpt")

    status, page = await stage.makes("FAST", "south/gpt")

    assert status == 422
    assert "There is an alias called “fast” already." in page


async def test_people_find_it_with_what_stands_behind_it(stage: Stage) -> None:
    await stage.makes("fast", "north/gpt", "south/gpt")

    (alias, *_) = (await stage.cast.bob.client.get("/api/models")).json()["models"]
    page = (await stage.cast.bob.client.get("/")).text

    assert (alias["id"], alias["stands_for"]) == ("fast", ["north/gpt", "south/gpt"])
    assert (alias["context_window"], alias["abilities"]) == (4_000, ["vision"]), "what all of them can do"
    assert 'value="fast"' in page
    assert "north/gpt, south/gpt" in page


async def test_a_model_that_is_gone_keeps_its_place_and_is_marked(stage: Stage) -> None:
    await stage.makes("fast", "north/gpt", "south/gpt")
    async with stage.database.writing() as session:
        await session.delete(
            (await session.scalars(select(Connection).where(Connection.name == "north"))).one()
        )
    alice = stage.cast.alice.client

    assert "Gone" in (await alice.get(HOME)).text
    form = {"targets": "north/gpt\nsouth/gpt", "order": "ordered"}
    assert (await alice.post(await stage.address(), data=form)).status_code == 303


async def test_members_find_no_such_page(stage: Stage) -> None:
    await stage.makes("fast", "north/gpt")

    for method, address in (("GET", HOME), ("POST", HOME), ("GET", await stage.address())):
        response = await stage.cast.bob.client.request(method, address, data={"name": "mine"})
        assert response.status_code == 404


async def test_a_connection_is_marked_local_and_back(stage: Stage) -> None:
    alice = stage.cast.alice.client
    async with stage.database.reading() as session:
        north = (await session.scalars(select(Connection).where(Connection.name == "north"))).one()
    address = f"/admin/connections/{north.id}"

    form = {"label": north.label, "base_url": north.base_url}

    await alice.post(address, data=form | {"local": "on"})
    assert "Stays in the house" in (await alice.get("/admin/connections")).text
    await alice.post(address, data=form)
    assert "Stays in the house" not in (await alice.get("/admin/connections")).text


@pytest.mark.parametrize(
    ("kind", "address", "is_local"),
    [
        ("ollama", "http://127.0.0.1:9", True),
        ("lmstudio", "http://192.168.1.20:1234", True),
        ("ollama", "http://gpu.lan:11434", True),
        ("ollama", "http://100.64.1.2:11434", True),  # Tailscale's
        ("ollama", "http://gpu.localhost:11434", True),
        ("ollama", "http://[::ffff:10.0.0.5]:11434", True),
        ("ollama", "http://[::ffff:8.8.8.8]:11434", False),
        ("ollama", "https://ollama.example.com", False),
        ("openai-compatible", "http://127.0.0.1:9/v1", False),
    ],
)
async def test_what_runs_at_home_is_local_from_the_start(
    stage: Stage, kind: str, address: str, is_local: bool
) -> None:
    form = {"kind": kind, "label": "New", "base_url": address}
    assert (await stage.cast.alice.client.post("/admin/connections", data=form)).status_code == 303

    async with stage.database.reading() as session:
        new = (await session.scalars(select(Connection).where(Connection.name == "new"))).one()
    assert new.is_local == is_local
