"""/admin/users: who has an account, and what administrators do to one."""

import asyncio
import re

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.accounts.models import User, UserRole
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import PASSWORD, Cast, Person, Visitor, signed_in

ACTS = ("disable", "enable", "role", "log-out", "password")


async def act(by: Person, what: str, on: Person, **fields: str) -> int:
    return (await by.client.post(f"/admin/users/{on.id}/{what}", data=fields)).status_code


async def test_administrators_see_everybody(cast: Cast) -> None:
    page = (await cast.alice.client.get("/admin/users")).text

    assert all(
        person.name in page and person.email in page for person in (cast.alice, cast.bob, cast.charlie)
    )
    assert "3 people have an account." in page


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("q=ARCHER", "Bob Archer", "Charlie Brook"),
        ("q=charlie@", "Charlie Brook", "Bob Archer"),
        ("role=administrator", "alice@example.org", "Bob Archer"),
        ("state=active", "Bob Archer", "Nobody fits"),
        ("state=disabled", "Nobody fits", "Bob Archer"),
        ("q=%25", "Nobody fits", "Bob Archer"),
        ("page=2", "Nobody fits", "Bob Archer"),
    ],
)
async def test_the_list_can_be_searched(cast: Cast, query: str, shown: str, hidden: str) -> None:
    page = (await cast.alice.client.get(f"/admin/users?{query}")).text

    assert shown in page
    assert hidden not in page


async def test_disabling_takes_effect_with_the_next_request(cast: Cast) -> None:
    assert (await cast.bob.client.get("/api/me")).status_code == 200

    assert await act(cast.alice, "disable", cast.bob) == 303

    assert (await cast.bob.client.get("/api/me")).status_code == 401
    assert await act(cast.alice, "enable", cast.bob) == 303
    assert (await cast.bob.client.get("/api/me")).status_code == 401, "sessions do not come back to life"


async def test_promoting_takes_effect_with_the_next_request(cast: Cast) -> None:
    assert (await cast.bob.client.get("/admin/users")).status_code == 404

    await act(cast.alice, "role", cast.bob, role="administrator")
    assert (await cast.bob.client.get("/admin/users")).status_code == 200

    await act(cast.alice, "role", cast.bob, role="member")
    assert (await cast.bob.client.get("/admin/users")).status_code == 404


async def test_a_reset_password_is_shown_once_and_ends_sessions(client: Visitor, cast: Cast) -> None:
    page = (await cast.alice.client.post(f"/admin/users/{cast.bob.id}/password")).text
    password = re.search(r'value="((?:\w{4}-){3}\w{4})"', page)
    assert password

    assert (await cast.bob.client.get("/api/me")).status_code == 401
    old = await client.post("/login", data={"login": "bob", "password": PASSWORD})
    new = await client.post("/login", data={"login": "bob", "password": password[1]})
    assert (old.status_code, new.status_code) == (422, 303)
    assert password[1] not in (await cast.alice.client.get("/admin/users")).text
    assert password[1] not in (await cast.alice.client.get("/admin/audit")).text


async def test_forcing_somebody_out(cast: Cast) -> None:
    assert await act(cast.alice, "log-out", cast.bob) == 303

    assert (await cast.bob.client.get("/api/me")).status_code == 401


async def test_the_last_administrator_stays(cast: Cast) -> None:
    disabled = await cast.alice.client.post(f"/admin/users/{cast.alice.id}/disable")
    demoted = await cast.alice.client.post(f"/admin/users/{cast.alice.id}/role", data={"role": "member"})

    assert disabled.status_code == demoted.status_code == 409
    assert "last active administrator" in disabled.text
    assert (await cast.alice.client.get("/admin/users")).status_code == 200


async def test_a_disabled_administrator_does_not_count(cast: Cast) -> None:
    await act(cast.alice, "role", cast.bob, role="administrator")
    await act(cast.alice, "disable", cast.bob)

    assert await act(cast.alice, "role", cast.alice, role="member") == 409


@pytest.mark.parametrize("what", ACTS)
async def test_members_do_nothing_to_anybody(cast: Cast, what: str) -> None:
    assert await act(cast.bob, what, cast.charlie, role="administrator") == 404
    assert await act(cast.bob, what, cast.bob, role="administrator") == 404
    assert (await cast.charlie.client.get("/api/me")).json()["role"] == "member"


@pytest.mark.parametrize("what", ACTS)
async def test_nobody_called_so(cast: Cast, what: str) -> None:
    response = await cast.alice.client.post(f"/admin/users/nonsense/{what}", data={"role": "member"})

    assert response.status_code == 404


async def test_a_role_that_does_not_exist(cast: Cast) -> None:
    assert await act(cast.alice, "role", cast.bob, role="emperor") == 422


async def test_the_name_of_the_workspace_is_everywhere_at_once(client: Visitor, cast: Cast) -> None:
    response = await cast.alice.client.post(
        "/admin/settings", data={"name": "Northwind <Labs>", "system_prompt": "Be brief."}
    )

    assert response.status_code == 303
    assert "Log in to Northwind &lt;Labs&gt;" in (await client.get("/login")).text
    assert "Be brief." in (await cast.alice.client.get("/admin/settings")).text
    too_long = await cast.alice.client.post("/admin/settings", data={"name": "x" * 61})
    assert too_long.status_code == 422
    assert "at most 60 characters" in too_long.text


class TestOnPostgres:
    """The same promises where writers do not queue by themselves."""

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_two_who_demote_each_other_leave_one(self, cast: Cast, database: Database) -> None:
        for _ in range(5):
            await act(cast.alice, "role", cast.bob, role="administrator")
            await act(cast.bob, "role", cast.alice, role="administrator")

            statuses = await asyncio.gather(
                act(cast.alice, "role", cast.bob, role="member"),
                act(cast.bob, "role", cast.alice, role="member"),
            )

            assert 303 in statuses
            assert set(statuses) <= {303, 409, 404}
            async with database.reading() as session:
                administrators = select(func.count()).where(User.role == UserRole.ADMINISTRATOR)
                assert await session.scalar(administrators) == 1
            if (await cast.alice.client.get("/admin/users")).status_code == 404:
                await act(cast.bob, "role", cast.alice, role="administrator")

    async def test_a_hundred_guesses_at_once(self, client: Visitor, cast: Cast) -> None:
        guesses = [client.post("/login", data={"login": "bob", "password": f"guess {n}"}) for n in range(12)]

        statuses = [response.status_code for response in await asyncio.gather(*guesses)]

        assert (statuses.count(422), statuses.count(429)) == (5, 7)

    async def test_two_who_accept_at_once_get_one_account(self, app: FastAPI, cast: Cast) -> None:
        page = (await cast.alice.client.post("/admin/invitations", data={})).text
        path = re.findall(r"/invitations/[\w-]{20,}", page)[0]

        responses = await asyncio.gather(
            *(
                Visitor(app).post(
                    path,
                    data={"username": f"dora{n}", "email": f"d{n}@x.org", "password": "some grey pebbles"},
                )
                for n in range(4)
            )
        )

        assert sorted(response.status_code for response in responses) == [303, 409, 409, 409]

    async def test_two_who_take_the_same_name(self, app: FastAPI, cast: Cast) -> None:
        pages = [(await cast.alice.client.post("/admin/invitations", data={})).text for _ in range(3)]
        paths = [re.findall(r"/invitations/[\w-]{20,}", page)[0] for page in pages]
        dora = {"username": "dora", "email": "dora@example.org", "password": "some grey pebbles"}

        responses = await asyncio.gather(*(Visitor(app).post(path, data=dora) for path in paths))

        assert sorted(response.status_code for response in responses) == [303, 422, 422]

    async def test_characters_that_cannot_be_stored(self, cast: Cast) -> None:
        for path in ("/admin/users?q=a%00b", "/admin/audit?who=%00", "/admin/audit?before=%00"):
            assert (await cast.alice.client.get(path)).status_code in (200, 422)
        response = await cast.alice.client.post("/admin/settings", data={"name": "a\x00b"})
        assert response.status_code == 422
        assert (await cast.alice.client.post("/settings/keys/%00/revoke")).status_code in (404, 422)


async def test_setup_on_postgres_works_once(settings: Settings, postgres_with_tables: str) -> None:
    from app.main import create_app

    application = create_app(settings.model_copy(update={"database_url": postgres_with_tables}))
    async with application.router.lifespan_context(application):
        people = [signed_in_at_setup(application, name) for name in ("dora", "eve", "mallory")]

        assert sorted(await asyncio.gather(*people)) == [303, 409, 409]


async def signed_in_at_setup(app: FastAPI, name: str) -> int:
    async with Visitor(app) as browser:
        response = await browser.post(
            "http://localhost/setup",
            data={"username": name, "email": f"{name}@example.org", "password": "some grey pebbles"},
        )
    return response.status_code


async def test_the_list_has_pages(app: FastAPI, cast: Cast) -> None:
    for number in range(50):
        await signed_in(app, f"user{number:02}", f"Person {number:02}")

    first = (await cast.alice.client.get("/admin/users")).text
    second = (await cast.alice.client.get("/admin/users?page=2")).text

    assert "53 people have an account." in first
    assert "Person 00" in first
    assert "Person 49" not in first
    assert "Person 49" in second
