"""/api/groups: administrators' scripts make groups and fill them; members do not learn that there are any."""

import pytest

from tests.cast import Cast, Visitor

HOME = "/api/groups"


async def make(cast: Cast, name: str = "Design") -> str:
    """The address of a new group."""
    response = await cast.alice.client.post(HOME, json={"name": name})
    assert response.status_code == 201, response.text
    return f"{HOME}/{response.json()['id']}"


async def test_a_group_is_made_filled_changed_and_deleted(cast: Cast) -> None:
    alice = cast.alice.client
    design = await make(cast)

    added = await alice.post(f"{design}/members", json={"login": "bob", "is_manager": True})
    await alice.post(f"{design}/members", json={"login": "Charlie@Example.org"})

    assert added.status_code == 201
    (row,) = (await alice.get(HOME)).json()
    assert (row["name"], row["members"], row["paid_for"]) == ("Design", 2, 2)
    people = (await alice.get(design)).json()["people"]
    assert [(one["username"], one["is_manager"], one["is_main"]) for one in people] == [
        ("bob", True, True),
        ("charlie", False, True),
    ]

    assert (await alice.patch(design, json={"name": "Drawing"})).json()["name"] == "Drawing"
    changed = await alice.patch(f"{design}/members/{cast.bob.id}", json={"is_manager": False})
    assert not changed.json()["people"][0]["is_manager"]
    assert (await alice.delete(f"{design}/members/{cast.charlie.id}")).status_code == 204
    assert (await alice.get(design)).json()["members"] == 1
    assert (await alice.delete(design)).status_code == 204
    assert (await alice.get(design)).status_code == 404
    assert (await alice.get(HOME)).json() == []


async def test_the_main_group_is_chosen(cast: Cast) -> None:
    alice = cast.alice.client
    design, research = await make(cast), await make(cast, "Research")
    for group in (design, research):
        await alice.post(f"{group}/members", json={"login": "bob"})
    assert (await alice.get(research)).json()["paid_for"] == 0

    chosen = await alice.patch(f"{research}/members/{cast.bob.id}", json={"is_main": True})

    assert chosen.json()["paid_for"] == 1
    assert (await alice.get(design)).json()["paid_for"] == 0


async def test_members_and_strangers_learn_nothing(cast: Cast, client: Visitor) -> None:
    design = await make(cast)

    for path in (HOME, design):
        assert (await cast.bob.client.get(path)).status_code == 404
        assert (await client.get(path)).status_code == 401
    assert (await cast.bob.client.post(HOME, json={"name": "Mine"})).status_code == 404
    assert (await cast.bob.client.post(f"{design}/members", json={"login": "bob"})).status_code == 404
    assert (await cast.bob.client.delete(design)).status_code == 404
    assert (await cast.alice.client.get(design)).json()["members"] == 0


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b"])
async def test_names_that_do_not_fit_are_refused_with_a_sentence(cast: Cast, name: str) -> None:
    refused = await cast.alice.client.post(HOME, json={"name": name})

    assert refused.status_code == 422
    assert (await cast.alice.client.get(HOME)).json() == []


async def test_nonsense_is_refused(cast: Cast) -> None:
    alice = cast.alice.client
    design = await make(cast)

    assert (await alice.post(HOME, json={"name": "design"})).status_code == 422, "it looks like the other"
    nobody = await alice.post(f"{design}/members", json={"login": "nobody"})
    assert nobody.status_code == 422
    assert "Nobody has this username" in nobody.text
    for path in ("nonsense", f"{design}/members/nonsense"):
        address = path if path.startswith("/") else f"{HOME}/{path}"
        assert (await alice.delete(address)).status_code == 404
    assert (await alice.patch(f"{design}/members/{cast.bob.id}", json={})).status_code == 200
