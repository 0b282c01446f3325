"""/admin/groups, and who may use what: administrators decide, members learn nothing."""

import re

import pytest

from app.catalog.models import Connection, Model
from app.core.database import Database
from tests.cast import Cast, Person

ELSEWHERE = ">Another group<"


async def makes_a_group(by: Person, name: str = "Design") -> str:
    """The address of a new group."""
    response = await by.client.post("/admin/groups", data={"name": name})
    assert response.status_code == 303, response.text
    return response.headers["location"]


async def act(by: Person, address: str, **fields: str) -> int:
    return (await by.client.post(address, data=fields)).status_code


async def text(by: Person, address: str) -> str:
    response = await by.client.get(address)
    assert response.status_code == 200
    return response.text


@pytest.fixture
async def lamp(database: Database) -> Model:
    """A ticked model called “Lamp”."""
    async with database.writing() as session:
        connection = Connection(name="echo", label="Lighthouse", kind="echo")
        session.add(connection)
        await session.flush()
        model = Model(connection_id=connection.id, name="echo", display_name="Lamp", is_enabled=True)
        session.add(model)
    return model


async def test_a_group_is_made_filled_and_listed(cast: Cast) -> None:
    design = await makes_a_group(cast.alice)

    assert await act(cast.alice, f"{design}/members", login="bob", manager="on") == 303
    assert await act(cast.alice, f"{design}/members", login="Charlie@Example.org") == 303

    page = await text(cast.alice, design)
    assert "2 members" in page
    assert page.index("Bob Archer") < page.index("Charlie Brook"), "managers come first"
    assert page.count("This group</span>") == 2
    listed = await text(cast.alice, "/admin/groups")
    assert re.search(r'Design</b></a></th>\s*<td class="number">2</td>\s*<td class="number">2</td>', listed)
    assert "Bob Archer" in listed


async def test_the_groups_of_a_person_stand_among_the_users(cast: Cast) -> None:
    design, research = await makes_a_group(cast.alice), await makes_a_group(cast.alice, "<Research>")
    await act(cast.alice, f"{design}/members", login="bob")
    await act(cast.alice, f"{research}/members", login="bob")
    await act(cast.alice, f"{research}/members/{cast.bob.id}/main")

    page = await text(cast.alice, "/admin/users")

    assert page.index("&lt;Research&gt;</a>, ") < page.index(">Design</a>"), "the main one comes first"
    assert "<Research>" not in page


async def test_places_are_changed(cast: Cast) -> None:
    design, research = await makes_a_group(cast.alice), await makes_a_group(cast.alice, "Research")
    for group in (design, research):
        await act(cast.alice, f"{group}/members", login="bob")
    assert ELSEWHERE in await text(cast.alice, research)

    assert await act(cast.alice, f"{research}/members/{cast.bob.id}/main") == 303
    assert ELSEWHERE not in await text(cast.alice, research)
    assert ELSEWHERE in await text(cast.alice, design)

    assert await act(cast.alice, f"{design}/members/{cast.bob.id}/manager", manager="on") == 303
    assert "Make a member" in await text(cast.alice, design)
    assert await act(cast.alice, f"{design}/members/{cast.bob.id}/manager") == 303
    assert "Make a manager" in await text(cast.alice, design)

    assert await act(cast.alice, f"{research}/members/{cast.bob.id}/removal") == 303
    assert "Nobody is in this group yet." in await text(cast.alice, research)
    assert ELSEWHERE not in await text(cast.alice, design), "it pays again"


async def test_a_group_is_renamed_and_deleted(cast: Cast) -> None:
    design = await makes_a_group(cast.alice)
    assert await act(cast.alice, design, name="Design studio") == 303
    assert "Design studio" in await text(cast.alice, "/admin/groups")

    assert await act(cast.alice, f"{design}/deletion") == 303

    assert "Design studio" not in await text(cast.alice, "/admin/groups")
    assert (await cast.alice.client.get(design)).status_code == 404
    assert await act(cast.alice, f"{design}/members", login="bob") == 404
    assert await act(cast.alice, f"{design}/deletion") == 404


@pytest.mark.parametrize(
    ("address", "fields", "sentence"),
    [
        ("/admin/groups", {"name": " design "}, "There is a group of this name already"),
        ("/admin/groups", {"name": ""}, "Enter a name"),
        ("/admin/groups", {"name": "x" * 61}, "at most 60 characters"),
        ("{research}", {"name": "DESIGN"}, "There is a group of this name already"),
        ("{research}", {"name": "a\x00b"}, "Enter a name"),
        ("{research}/members", {"login": "mallory"}, "Nobody has this username"),
        ("{research}/members", {"login": ""}, "Nobody has this username"),
    ],
)
async def test_what_cannot_be_done_is_told_beside_the_field(
    cast: Cast, address: str, fields: dict[str, str], sentence: str
) -> None:
    await makes_a_group(cast.alice)
    research = await makes_a_group(cast.alice, "Research")

    response = await cast.alice.client.post(address.format(research=research), data=fields)

    assert response.status_code == 422
    assert sentence in response.text
    assert "Research" in response.text


async def test_a_name_that_was_taken_a_moment_ago_is_told_beside_the_field(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await makes_a_group(cast.alice)
    research = await makes_a_group(cast.alice, "Research")

    async def seen_as_free(*_: object, **__: object) -> None: ...

    monkeypatch.setattr("app.accounts.groups._refuse_taken", seen_as_free)
    for address in ("/admin/groups", research):
        response = await cast.alice.client.post(address, data={"name": "Design"})

        assert response.status_code == 422
        assert "There is a group of this name already" in response.text
        assert 'value="Design"' in response.text
    assert "Research" in await text(cast.alice, research)
    assert "Renamed a group" not in await text(cast.alice, "/admin/audit"), "and nothing was"


async def test_everything_is_in_the_audit_log(cast: Cast, lamp: Model) -> None:
    design = await makes_a_group(cast.alice)
    group_id = design.rpartition("/")[2]
    await act(cast.alice, f"{design}/members", login="bob", manager="on")
    await act(cast.alice, f"/admin/models/{lamp.id}/audience", audience="groups", groups=group_id)
    await act(cast.alice, f"/admin/models/{lamp.id}/audience", audience="everyone")
    await act(cast.alice, design, name="Research")
    await act(cast.alice, f"{design}/members/{cast.bob.id}/removal")
    await act(cast.alice, f"{design}/deletion")

    page = await text(cast.alice, "/admin/audit")

    for action in (
        "group.created",
        "group.member_added",
        "group.manager_added",
        "group.made_main",
        "model.restricted",
        "model.opened",
        "group.renamed",
        "group.member_removed",
        "group.deleted",
    ):
        assert action in page


@pytest.mark.parametrize("what", ["models", "connections"])
async def test_what_is_kept_to_a_group_says_so_everywhere(cast: Cast, lamp: Model, what: str) -> None:
    design, research = await makes_a_group(cast.alice), await makes_a_group(cast.alice, "Research")
    thing = f"/admin/{what}/{lamp.id if what == 'models' else lamp.connection_id}"
    assert "Everyone" in await text(cast.alice, f"/admin/{what}")

    group_id = design.rpartition("/")[2]
    changed = await cast.alice.client.post(
        f"{thing}/audience", data={"audience": "groups", "groups": [group_id]}
    )

    assert changed.status_code == 303
    assert ">Design<" in await text(cast.alice, f"/admin/{what}")
    form = await text(cast.alice, f"{thing}/audience")
    assert re.search(rf'value="{group_id}"[^>]* checked', form)
    assert form.count(" checked") == 1
    assert ("echo/echo" if what == "models" else "Lighthouse") in await text(cast.alice, design)
    assert "Nothing yet." in await text(cast.alice, research)

    await act(cast.alice, f"{thing}/audience", audience="everyone", groups=group_id)
    assert ">Design<" not in await text(cast.alice, f"/admin/{what}")
    assert "Nothing yet." in await text(cast.alice, design)


async def test_choosing_groups_without_a_group_is_refused(cast: Cast, lamp: Model) -> None:
    await makes_a_group(cast.alice)
    address = f"/admin/models/{lamp.id}/audience"

    response = await cast.alice.client.post(address, data={"audience": "groups"})
    assert response.status_code == 422
    assert "Choose at least one group, or everyone." in response.text

    for nonsense in ({}, {"audience": "nobody"}, {"audience": "groups", "groups": "nonsense"}):
        assert (await cast.alice.client.post(address, data=nonsense)).status_code == 422
    assert "Everyone" in await text(cast.alice, "/admin/models")


async def test_members_learn_nothing_and_change_nothing(cast: Cast, lamp: Model) -> None:
    design = await makes_a_group(cast.alice)
    await act(cast.alice, f"{design}/members", login="bob", manager="on")
    places = f"{design}/members/{cast.bob.id}"

    for address in ("/admin/groups", design, f"/admin/models/{lamp.id}/audience"):
        assert (await cast.bob.client.get(address)).status_code == 404, "a manager administers nothing"
    for address in (
        "/admin/groups",
        design,
        f"{design}/deletion",
        f"{design}/members",
        f"{places}/main",
        f"{places}/manager",
        f"{places}/removal",
        f"/admin/models/{lamp.id}/audience",
        f"/admin/connections/{lamp.connection_id}/audience",
    ):
        assert await act(cast.bob, address, login="charlie", name="Mine", audience="everyone") == 404
    assert "1 member" in await text(cast.alice, design)


async def test_nonsense_is_answered_with_not_found(cast: Cast) -> None:
    design = await makes_a_group(cast.alice)

    for end in ("main", "manager", "removal"):
        for person in ("nonsense", cast.bob.id):
            assert await act(cast.alice, f"{design}/members/{person}/{end}") == 404
    assert await act(cast.alice, "/admin/groups/nonsense/deletion") == 404
    assert await act(cast.alice, "/admin/models/nonsense/audience", audience="everyone") == 404
