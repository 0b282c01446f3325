"""Who may not use a model does not see it, on any surface. Alice administers; Bob keeps the light, Charlie does not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.accounts import groups, memberships, people
from app.accounts.audit import COMMAND_LINE, Act
from app.accounts.models import Group
from app.catalog import discovery, restrictions, selection
from app.catalog.access import ModelNotUsable
from app.catalog.models import Connection, Model, ModelGroup
from app.catalog.restrictions import Restrictable
from app.core.clock import now
from app.core.database import Database
from app.core.errors import Invalid
from app.core.settings import Settings
from app.gateway.calls import Call, Gateway
from app.providers.base import ModelInfo, Request, Role, Turn
from tests.cast import Cast, Person
from tests.chats.waiting import finished_replies

ACT = Act(COMMAND_LINE)
SECRET = "echo/echo-fast"
OPEN = "echo/echo"
LABEL = "The great lamp"
UNHEARD_OF = f"There is no model “{SECRET}” here any more. Choose another model."


@dataclass(frozen=True)
class Lighthouse:
    """Echo with two models; `lamp` is `SECRET`, which people see as `LABEL`."""

    connection: Connection
    lamp: Model
    keepers: Group
    others: Group


@pytest.fixture
async def lighthouse(cast: Cast, database: Database) -> Lighthouse:
    """Bob is a keeper and Charlie is in the other group; nothing is restricted yet."""
    async with database.writing() as session:
        connection = Connection(name="echo", label="Old lighthouse", kind="echo")
        session.add(connection)
        await session.flush()
        lamp = Model(connection_id=connection.id, name="echo-fast", display_name=LABEL, is_enabled=True)
        session.add_all(
            [lamp, Model(connection_id=connection.id, name="echo", display_name="Echo", is_enabled=True)]
        )
        keepers = await groups.create(session, "Keepers", ACT)
        others = await groups.create(session, "Others", ACT)
        await memberships.put(session, keepers, await people.by_id(session, cast.bob.id), ACT)
        await memberships.put(session, others, await people.by_id(session, cast.charlie.id), ACT)
    return Lighthouse(connection, lamp, keepers, others)


@pytest.fixture
async def kept(lighthouse: Lighthouse, database: Database) -> Lighthouse:
    """The lamp is for keepers only."""
    await restrict(database, lighthouse.lamp, [lighthouse.keepers])
    return lighthouse


async def restrict(database: Database, thing: Restrictable, allowed: Sequence[Group]) -> None:
    async with database.writing() as session:
        found = await session.get_one(type(thing), thing.id)
        await restrictions.restrict(session, found, [group.id for group in allowed], ACT)


async def models_of(person: Person) -> list[str]:
    return [model["id"] for model in (await person.client.get("/api/models")).json()["models"]]


async def starts(person: Person, model: str) -> str:
    response = await person.client.post("/chats", data={"body": "Shine!", "model": model})
    assert response.status_code == 303, response.text
    return response.headers["location"]


async def calls(app: FastAPI, person: Person, model: str = SECRET) -> None:
    gateway: Gateway = app.state.gateway
    call = Call(person.id, Request(model, (Turn(Role.USER, "Shine!"),)), "api")
    async with gateway.open(call) as completion:
        async for _ in completion:
            pass


async def may_call(app: FastAPI, person: Person) -> bool:
    try:
        await calls(app, person)
    except ModelNotUsable as error:
        if error.message != UNHEARD_OF:
            raise
        return False
    return True


async def test_without_restriction_everyone_may(app: FastAPI, cast: Cast, lighthouse: Lighthouse) -> None:
    for person in (cast.alice, cast.bob, cast.charlie):
        assert SECRET in await models_of(person)
        assert await may_call(app, person)


async def test_only_the_chosen_groups_and_administrators_see_it(cast: Cast, kept: Lighthouse) -> None:
    for person in (cast.alice, cast.bob):
        assert await models_of(person) == [OPEN, SECRET]
        assert LABEL in (await person.client.get("/")).text

    assert await models_of(cast.charlie) == [OPEN]
    page = (await cast.charlie.client.get("/")).text
    assert LABEL not in page
    assert SECRET not in page


async def test_the_gateway_has_the_last_word(app: FastAPI, cast: Cast, kept: Lighthouse) -> None:
    assert await may_call(app, cast.alice)
    assert await may_call(app, cast.bob)
    assert not await may_call(app, cast.charlie)


async def test_who_posts_with_its_name_hears_what_is_said_of_no_model(cast: Cast, kept: Lighthouse) -> None:
    address = await starts(cast.charlie, SECRET)
    (refused,) = await finished_replies(cast.charlie, address)
    chat_id = (await cast.charlie.starts_a_chat()).id
    response = await cast.charlie.client.post(
        f"/api/chats/{chat_id}/messages", json={"content": "Shine!", "model": SECRET}
    )

    for reply in (refused, response.json()["reply"]):
        assert (reply["status"], reply["content"]) == ("failed", "")
        assert reply["error"]["code"] == "model_not_usable"
        assert reply["error"]["message"] == UNHEARD_OF


async def test_a_guessed_name_shows_no_face(cast: Cast, kept: Lighthouse) -> None:
    """The page of a refused answer looks like the page of a model that never was."""
    pages = []
    for model in (SECRET, "echo/no-such-one"):
        address = await starts(cast.charlie, model)
        await finished_replies(cast.charlie, address)
        pages.append((await cast.charlie.client.get(address)).text)

    guessed, invented = pages
    assert LABEL not in guessed
    assert guessed.count("Old lighthouse") == invented.count("Old lighthouse")
    assert guessed.count("#plug") == invented.count("#plug") > 0


async def test_asking_again_with_it_is_refused(cast: Cast, kept: Lighthouse) -> None:
    for door in ("form", "json"):
        address = await starts(cast.charlie, OPEN)
        (first,) = await finished_replies(cast.charlie, address)
        if door == "form":
            await cast.charlie.client.post(
                f"{address}/messages/{first['id']}/variants", data={"model": SECRET}
            )
        else:
            variants = f"/api{address}/messages/{first['id']}/variants"
            await cast.charlie.client.post(variants, json={"model": SECRET})

        (again,) = await finished_replies(cast.charlie, address)
        assert again["id"] != first["id"]
        assert (again["status"], again["error"]["message"]) == ("failed", UNHEARD_OF)


async def test_a_chat_set_to_it_does_not_reach_it(cast: Cast, kept: Lighthouse) -> None:
    chat_id = (await cast.charlie.starts_a_chat()).id
    await cast.charlie.client.patch(f"/api/chats/{chat_id}", json={"model": SECRET})

    response = await cast.charlie.client.post(f"/api/chats/{chat_id}/messages", json={"content": "Shine!"})

    assert response.json()["reply"]["error"]["message"] == UNHEARD_OF
    assert LABEL not in (await cast.charlie.client.get(f"/chats/{chat_id}")).text


async def test_leaving_the_group_counts_at_once(
    app: FastAPI, cast: Cast, kept: Lighthouse, database: Database
) -> None:
    address = await starts(cast.bob, SECRET)
    (answered,) = await finished_replies(cast.bob, address)
    assert answered["status"] == "finished"

    async with database.writing() as session:
        await memberships.take_out(session, kept.keepers, cast.bob.id, ACT)

    assert await models_of(cast.bob) == [OPEN]
    assert not await may_call(app, cast.bob)
    await cast.bob.client.post(f"{address}/messages/{answered['id']}/variants")
    (again,) = await finished_replies(cast.bob, address)
    assert again["error"]["message"] == UNHEARD_OF
    await cast.bob.client.post(f"/api{address}/messages/{again['id']}/continuation")
    (continued,) = await finished_replies(cast.bob, address)
    assert continued["error"]["message"] == UNHEARD_OF


async def test_connection_and_model_must_both_allow_it(
    app: FastAPI, cast: Cast, kept: Lighthouse, database: Database
) -> None:
    await restrict(database, kept.connection, [kept.others])
    assert await models_of(cast.bob) == [], "his group may use the model, but not the connection"
    assert await models_of(cast.charlie) == [OPEN], "the connection, but not the model"
    assert not await may_call(app, cast.bob)
    assert not await may_call(app, cast.charlie)

    await restrict(database, kept.connection, [kept.others, kept.keepers])
    assert await may_call(app, cast.bob)
    assert not await may_call(app, cast.charlie)


async def test_a_restriction_outlives_its_last_group(
    app: FastAPI, cast: Cast, kept: Lighthouse, database: Database
) -> None:
    async with database.writing() as session:
        await groups.delete(session, await groups.by_id(session, kept.keepers.id), ACT)

    assert not await may_call(app, cast.bob)
    assert not await may_call(app, cast.charlie)
    assert await may_call(app, cast.alice)
    assert (
        "The groups that could use it are deleted"
        in (await cast.alice.client.get(f"/admin/models/{kept.lamp.id}/audience")).text
    )


@pytest.mark.parametrize("unticked_when", ["before it is gone", "while it is gone"])
async def test_a_model_that_comes_back_is_as_restricted_as_before(
    app: FastAPI, cast: Cast, kept: Lighthouse, database: Database, unticked_when: str
) -> None:
    async def provider_offers(*names: str) -> None:
        async with database.writing() as session:
            connection = await session.get_one(Connection, kept.connection.id)
            await discovery.store(session, connection, [ModelInfo(name) for name in names])

    async def tick(is_enabled: bool) -> None:
        async with database.writing() as session:
            connection = await session.get_one(Connection, kept.connection.id)
            await selection.tick(session, connection, {"echo-fast"}, is_enabled, ACT)

    async with database.writing() as session:
        await session.execute(update(Connection).values(refreshed_at=now()))
    if unticked_when == "before it is gone":
        await tick(False)
        await provider_offers("echo")
    else:
        await provider_offers("echo")
        await tick(False)
    await provider_offers("echo", "echo-fast")
    await tick(True)

    assert await may_call(app, cast.bob), "it is back, and ticked"
    assert not await may_call(app, cast.charlie)


async def test_a_model_can_be_opened_again(
    app: FastAPI, cast: Cast, kept: Lighthouse, database: Database
) -> None:
    async with database.writing() as session:
        lamp = await session.get_one(Model, kept.lamp.id)
        await restrictions.open_to_everyone(session, lamp, ACT)

    assert await may_call(app, cast.charlie)
    async with database.reading() as session:
        assert (await session.scalars(select(ModelGroup))).all() == []


async def test_a_restriction_names_groups_that_are_there(lighthouse: Lighthouse, database: Database) -> None:
    with pytest.raises(Invalid, match="at least one group"):
        await restrict(database, lighthouse.lamp, [])
    with pytest.raises(Invalid, match="is gone"):
        await restrict(database, lighthouse.lamp, [lighthouse.keepers, Group(id="invented")])
    async with database.writing() as session:
        await groups.delete(session, await groups.by_id(session, lighthouse.others.id), ACT)
    with pytest.raises(Invalid):
        await restrict(database, lighthouse.lamp, [lighthouse.others])
    async with database.reading() as session:
        assert not (await session.get_one(Model, lighthouse.lamp.id)).is_restricted


class TestOnPostgres:
    """The same rule, and two who change it at once."""

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_the_gateway_has_the_last_word(self, app: FastAPI, cast: Cast, kept: Lighthouse) -> None:
        assert await may_call(app, cast.alice)
        assert await may_call(app, cast.bob)
        assert not await may_call(app, cast.charlie)
        assert await models_of(cast.charlie) == [OPEN]

    async def test_two_who_choose_at_once(
        self, app: FastAPI, cast: Cast, lighthouse: Lighthouse, database: Database
    ) -> None:
        keepers, others = lighthouse.keepers, lighthouse.others

        await asyncio.gather(
            *(restrict(database, lighthouse.lamp, chosen) for chosen in ([keepers], [others, keepers]) * 3)
        )

        assert await may_call(app, cast.bob)
