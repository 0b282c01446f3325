"""Accounts made in the browser: the first one, by registration, by invitation."""

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from starlette.types import ASGIApp, Receive, Scope, Send

from app.accounts import first_run
from app.accounts.house import Visit
from app.accounts.models import Invitation, User
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import Cast, Visitor

DORA = {
    "username": "Dora",
    "email": "Dora@Example.org",
    "name": "Dora Quill",
    "password": "some grey pebbles",
}


def code_of(app: FastAPI) -> str:
    return first_run.code(app.state.settings)


def at_the_machine(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000")


async def test_an_empty_installation_leads_to_setup(client: Visitor) -> None:
    assert (await client.get("/settings")).headers["location"].startswith("/login")
    assert (await client.get("/login")).headers["location"] == "/setup"
    assert (await client.get("/setup")).status_code == 200


async def test_whoever_sits_at_the_machine_needs_no_code(app: FastAPI) -> None:
    async with at_the_machine(app) as browser:
        assert "Code from the console" not in (await browser.get("/setup")).text

        response = await browser.post("/setup", data=DORA)

        assert response.headers["location"] == "/setup/provider"
        me = (await browser.get("/api/me")).json()
    assert (me["username"], me["email"], me["role"]) == ("dora", "dora@example.org", "administrator")


async def test_from_elsewhere_the_code_is_needed(app: FastAPI, client: Visitor, settings: Settings) -> None:
    assert "Code from the console" in (await client.get("/setup")).text

    without = await client.post("/setup", data=DORA)
    wrong = await client.post("/setup", data={**DORA, "code": "AAAA-AAAA"})
    right = await client.post("/setup", data={**DORA, "code": code_of(app).lower().replace("-", " ")})

    assert without.status_code == wrong.status_code == 422
    assert "not the code" in wrong.text
    assert "some grey pebbles" not in wrong.text
    assert right.headers["location"] == "/setup/provider"
    assert not (settings.data_dir / first_run.CODE_FILE).exists()


async def test_the_code_cannot_be_guessed_quickly(app: FastAPI, client: Visitor) -> None:
    for _ in range(5):
        await client.post("/setup", data={**DORA, "code": "AAAA-AAAA"})

    response = await client.post("/setup", data={**DORA, "code": code_of(app)})

    assert response.status_code == 429


@pytest.mark.parametrize(
    ("visit", "needs_code"),
    [
        (Visit("127.0.0.1", host="localhost:8000"), False),
        (Visit("127.0.0.1", host="127.0.0.1:8000"), False),
        (Visit("::1", host="[::1]:8000"), False),
        (Visit("192.168.1.7", host="192.168.1.2:8000"), True),
        (Visit("192.168.1.7", host="localhost"), True),
        (Visit("127.0.0.1", host="chat.example.org"), True),
        (Visit("127.0.0.1", host="localhost.evil.example"), True),
        (Visit("127.0.0.1", host="localhost", was_forwarded=True), True),
        (Visit("", host="localhost"), True),
        (Visit("127.0.0.1", host="["), True),
        (Visit("127.0.0.1", host=""), True),
    ],
)
def test_who_sits_at_the_machine(settings: Settings, visit: Visit, needs_code: bool) -> None:
    assert first_run.needs_code(settings, visit) is needs_code


@pytest.mark.parametrize(
    ("public_url", "needs_code"),
    [
        ("", False),
        ("http://localhost:8000", False),
        ("http://127.0.0.1:8000/", False),
        ("https://chat.example.org", True),
        ("chat.example.org", True),
    ],
)
def test_behind_a_public_address_nobody_counts_as_being_at_the_machine(
    settings: Settings, public_url: str, needs_code: bool
) -> None:
    public = settings.model_copy(update={"public_url": public_url})

    assert first_run.needs_code(public, Visit("127.0.0.1", host="localhost:8000")) is needs_code


@pytest.mark.parametrize("header", ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"])
async def test_a_proxy_is_not_somebody_at_the_machine(app: FastAPI, header: str) -> None:
    async with at_the_machine(app) as here:
        directly = await here.get("/setup")
        forwarded = await here.get("/setup", headers={header: "https"})

    assert 'name="code"' not in directly.text
    assert 'name="code"' in forwarded.text


async def test_a_proxy_that_says_nothing_is_known_by_its_old_protocol(app: FastAPI) -> None:
    async def as_nginx_does(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "http_version": "1.0"}, receive, send)

    async with at_the_machine(as_nginx_does) as forwarded:
        assert 'name="code"' in (await forwarded.get("/setup")).text


async def test_setup_works_once(app: FastAPI, database: Database) -> None:
    async with at_the_machine(app) as one, at_the_machine(app) as other:
        responses = await asyncio.gather(
            one.post("/setup", data=DORA),
            other.post("/setup", data={**DORA, "username": "eve", "email": "eve@example.org"}),
        )
        later = await one.post("/setup", data={**DORA, "username": "mallory", "email": "m@example.org"})

        assert sorted(response.status_code for response in responses) == [303, 409]
        assert later.status_code == 409
        assert (await one.get("/setup")).headers["location"] == "/"
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"username": "a"}, "A username has 2 to 32 characters"),
        ({"username": "dora@home"}, "A username has 2 to 32 characters"),
        ({"username": "<b>dora</b>"}, "A username has 2 to 32 characters"),
        ({"email": "dora"}, "Enter an e-mail address"),
        ({"password": "password123"}, "among those that are tried first"),
        ({"password": "short"}, "at least 10 characters"),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "a\x00b"}, "at most 80 characters"),
    ],
)
async def test_what_does_not_fit_comes_back_with_a_sentence(
    app: FastAPI, change: dict[str, str], sentence: str
) -> None:
    async with at_the_machine(app) as browser:
        response = await browser.post("/setup", data={**DORA, **change})

    assert response.status_code == 422
    assert sentence in response.text
    assert "aria-invalid" in response.text
    assert DORA["password"] not in response.text


async def test_registration_is_by_invitation_unless_opened(client: Visitor, cast: Cast) -> None:
    assert (await client.get("/register")).status_code == 403
    assert (await client.post("/register", data=DORA)).status_code == 403


class TestOpenRegistration:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"registration": "open"})

    async def test_anybody_becomes_a_member(self, client: Visitor, cast: Cast) -> None:
        response = await client.post("/register", data=DORA)

        assert response.headers["location"] == "/"
        assert (await client.get("/api/me")).json()["role"] == "member"

    async def test_a_taken_name_is_not_told_from_a_taken_address(self, client: Visitor, cast: Cast) -> None:
        name = await client.post("/register", data={**DORA, "username": "bob"})
        address = await client.post("/register", data={**DORA, "email": "bob@example.org"})

        assert name.status_code == address.status_code == 422
        assert "This username or e-mail address is taken" in name.text
        assert "This username or e-mail address is taken" in address.text

    async def test_names_cannot_be_tried_without_end(self, client: Visitor, cast: Cast) -> None:
        tries = [await client.post("/register", data={**DORA, "username": "bob"}) for _ in range(31)]

        assert [response.status_code for response in tries] == [422] * 30 + [429]

    async def test_the_first_account_is_made_at_setup(self, client: Visitor) -> None:
        assert (await client.post("/register", data=DORA)).headers["location"] == "/setup"


async def invitation_from(cast: Cast, **fields: str) -> str:
    """The path of a new invitation's link."""
    response = await cast.alice.client.post("/admin/invitations", data=fields)
    link = re.search(r'value="http://parley\.test(/invitations/[\w-]+)"', response.text)
    assert link, response.text
    return link[1]


async def test_an_address_that_was_mistyped_changes_nothing_else_of_the_invitation(cast: Cast) -> None:
    wanted = {"email": "dora at example.org", "role": "administrator"}

    response = await cast.alice.client.post("/admin/invitations", data=wanted)

    assert response.status_code == 422
    assert 'value="dora at example.org"' in response.text
    assert re.search(r'<option value="administrator"\s+selected', response.text)


async def test_an_invitation_makes_one_account(client: Visitor, cast: Cast) -> None:
    path = await invitation_from(cast)
    assert (await client.get(path)).status_code == 200

    response = await client.post(path, data=DORA)

    assert response.headers["location"] == "/"
    assert (await client.get("/api/me")).json()["username"] == "dora"
    again = await client.post(path, data={**DORA, "username": "eve", "email": "eve@example.org"})
    assert again.status_code == 409
    assert (await client.get(path)).status_code == 409


async def test_two_who_accept_at_once_get_one_account(app: FastAPI, cast: Cast, database: Database) -> None:
    path = await invitation_from(cast)

    responses = await asyncio.gather(
        *(
            Visitor(app).post(path, data={**DORA, "username": f"dora{number}", "email": f"d{number}@x.org"})
            for number in range(4)
        )
    )

    assert sorted(response.status_code for response in responses) == [303, 409, 409, 409]
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).where(User.username.startswith("dora"))) == 1


async def test_an_invitation_may_be_for_one_address_and_a_role(client: Visitor, cast: Cast) -> None:
    path = await invitation_from(cast, email="dora@example.org", role="administrator")

    other = await client.post(path, data={**DORA, "email": "eve@example.org"})
    right = await client.post(path, data=DORA)

    assert other.status_code == 403
    assert "This invitation is for dora@example.org" in other.text
    assert right.status_code == 303
    assert (await client.get("/api/me")).json()["role"] == "administrator"


async def test_a_mistake_does_not_use_the_invitation_up(client: Visitor, cast: Cast) -> None:
    path = await invitation_from(cast)

    assert (await client.post(path, data={**DORA, "username": "bob"})).status_code == 422
    assert (await client.post(path, data=DORA)).status_code == 303


async def test_a_withdrawn_invitation_is_gone(client: Visitor, cast: Cast, database: Database) -> None:
    path = await invitation_from(cast)
    async with database.reading() as session:
        invitation = await session.scalar(select(Invitation))
    assert invitation is not None

    await cast.alice.client.post(f"/admin/invitations/{invitation.id}/withdraw")

    assert (await client.get(path)).status_code == 404
    assert (await client.post(path, data=DORA)).status_code == 404


async def test_an_expired_invitation_is_gone(client: Visitor, cast: Cast, database: Database) -> None:
    path = await invitation_from(cast)
    async with database.writing() as session:
        invitation = await session.scalar(select(Invitation))
        assert invitation is not None
        invitation.expires_at = now()

    assert (await client.get(path)).status_code == 404
    assert (await client.post(path, data=DORA)).status_code == 404


async def test_the_token_is_not_stored(cast: Cast, database: Database) -> None:
    path = await invitation_from(cast)
    async with database.reading() as session:
        invitation = await session.scalar(select(Invitation))

    assert path.rpartition("/")[2] not in repr(vars(invitation))


async def test_members_invite_nobody(cast: Cast) -> None:
    assert (await cast.bob.client.post("/admin/invitations", data={})).status_code == 404
