"""Accounts for programs that belong to no person."""

import re

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.models import AuditEvent, Membership, User
from app.core.database import Database
from tests.cast import Cast, Visitor

HOME = "/admin/service-accounts"
KEY = {"name": "Cron", "scopes": ["chat", "usage"], "expires": "never"}


async def made(cast: Cast, name: str = "Nightly evaluation", **more: str) -> str:
    """The address of a new service account."""
    response = await cast.alice.client.post(HOME, data={"name": name} | more)
    assert response.status_code == 303, response.text
    return str(response.headers["location"]).partition("?")[0]


async def key_of(cast: Cast, account: str, **rules: object) -> str:
    page = await cast.alice.client.post(f"{account}/keys", data=KEY | rules)
    assert page.status_code == 200, page.text
    found = re.search(r'value="(parley_[\w-]+)"', page.text)
    assert found
    return found[1]


async def me(app: FastAPI, secret: str) -> httpx.Response:
    async with Visitor(app) as program:
        return await program.get("/api/me", headers={"x-api-key": secret})


async def group(cast: Cast, name: str = "Design") -> str:
    response = await cast.alice.client.post("/admin/groups", data={"name": name})
    return str(response.headers["location"]).rpartition("/")[2]


async def test_a_program_has_keys_and_no_way_to_log_in(app: FastAPI, cast: Cast, database: Database) -> None:
    account = await made(cast)
    secret = await key_of(cast, account)

    found = (await me(app, secret)).json()
    assert (found["username"], found["name"], found["role"]) == (
        "nightly-evaluation",
        "Nightly evaluation",
        "member",
    )
    for password in ("", "nightly-evaluation"):
        login = await Visitor(app).post("/login", data={"login": "nightly-evaluation", "password": password})
        assert login.status_code == 422
    assert secret not in (await cast.alice.client.get(account)).text


async def test_an_administrator_cannot_make_a_person_of_it(cast: Cast) -> None:
    account = await made(cast)
    users = f"/admin/users/{account.rpartition('/')[2]}"

    password = await cast.alice.client.post(f"{users}/password")
    role = await cast.alice.client.post(f"{users}/role", data={"role": "administrator"})

    assert (password.status_code, role.status_code) == (409, 409)
    assert "Nightly evaluation" not in (await cast.alice.client.get("/admin/users")).text


async def test_its_key_never_administers(cast: Cast) -> None:
    account = await made(cast)

    form = await cast.alice.client.get(f"{account}/keys/new")
    refused = await cast.alice.client.post(f"{account}/keys", data=KEY | {"scopes": ["admin"]})

    assert 'value="admin"' not in form.text
    assert refused.status_code == 422


async def test_exactly_one_group_pays(cast: Cast, database: Database) -> None:
    design, research = await group(cast), await group(cast, "Research")
    account = await made(cast, group=design)

    async def paying() -> list[tuple[str, bool]]:
        async with database.reading() as session:
            return [(row.group_id, row.is_main) for row in await session.scalars(select(Membership))]

    assert await paying() == [(design, True)]
    await cast.alice.client.post(account, data={"name": "Nightly evaluation", "group": research})
    assert await paying() == [(research, True)]
    await cast.alice.client.post(account, data={"name": "Nightly evaluation", "group": ""})
    assert await paying() == []


async def test_a_disabled_program_is_refused_until_it_is_enabled(app: FastAPI, cast: Cast) -> None:
    account = await made(cast)
    secret = await key_of(cast, account)
    assert (await me(app, secret)).status_code == 200

    await cast.alice.client.post(f"{account}/disable")
    refused = await me(app, secret)
    assert "Disabled" in (await cast.alice.client.get(HOME)).text
    await cast.alice.client.post(f"{account}/enable")

    assert refused.json()["error"]["code"] == "account_disabled"
    assert (await me(app, secret)).status_code == 200


async def test_its_keys_are_shown_and_revoked(app: FastAPI, cast: Cast) -> None:
    account = await made(cast)
    secret = await key_of(cast, account, ranges="127.0.0.0/8", limit="5")
    page = (await cast.alice.client.get(account)).text
    key = re.search(rf"{account}/keys/(\w+)/revoke", page)
    assert key
    assert "$0.00 of $5.00 a month" in page
    assert "127.0.0.0/8" in (await cast.alice.client.get(f"{account}/keys/{key[1]}")).text

    await cast.alice.client.post(f"{account}/keys/{key[1]}/revoke")

    assert (await me(app, secret)).json()["error"]["code"] == "key_revoked"
    assert (await cast.alice.client.get(f"{account}/keys/{key[1]}")).status_code == 404


async def test_names_are_told_apart(cast: Cast, database: Database) -> None:
    await made(cast, "Übung & Co")
    await made(cast, "Übung / Co")
    twice = await cast.alice.client.post(HOME, data={"name": "übung & co"})
    nameless = await cast.alice.client.post(HOME, data={"name": " "})

    assert (twice.status_code, nameless.status_code) == (422, 422)
    async with database.reading() as session:
        accounts = list(await session.scalars(select(User).where(User.is_service).order_by(User.id)))
    assert [account.username for account in accounts] == ["ubung-co", "ubung-co-2"]
    assert all(account.email.endswith("@service.invalid") for account in accounts)


async def test_a_name_that_does_not_fit_loses_nothing_that_was_typed(cast: Cast) -> None:
    await made(cast, "Triage")
    account, design = await made(cast), await group(cast)

    response = await cast.alice.client.post(account, data={"name": "triage", "group": design})

    assert response.status_code == 422
    assert 'value="triage"' in response.text
    assert re.search(rf'<option value="{design}"\s+selected', response.text)
    kept = (await cast.alice.client.get(account)).text
    assert 'value="Nightly evaluation"' in kept


@pytest.mark.parametrize("name", ["漢字", "-", "a" * 80])
async def test_any_name_gets_a_handle(cast: Cast, database: Database, name: str) -> None:
    await made(cast, name)

    async with database.reading() as session:
        account = (await session.scalars(select(User).where(User.is_service))).one()
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,31}", account.username)


async def test_a_person_is_no_service_account(cast: Cast) -> None:
    for path in (f"{HOME}/{cast.bob.id}", f"{HOME}/{cast.bob.id}/keys/new", f"{HOME}/nonsense"):
        assert (await cast.alice.client.get(path)).status_code == 404
    assert (await cast.alice.client.post(f"{HOME}/{cast.bob.id}/keys", data=KEY)).status_code == 404


async def test_members_meet_nothing(cast: Cast) -> None:
    account = await made(cast)

    for path in (HOME, account, f"{account}/keys/new"):
        assert (await cast.bob.client.get(path)).status_code == 404
    for path in (HOME, account, f"{account}/keys", f"{account}/disable"):
        assert (await cast.bob.client.post(path, data=KEY)).status_code == 404


async def test_every_change_is_in_the_audit_log(cast: Cast, database: Database) -> None:
    account = await made(cast, group=await group(cast))
    await key_of(cast, account)
    await cast.alice.client.post(account, data={"name": "Evaluation", "group": ""})
    await cast.alice.client.post(f"{account}/disable")
    await cast.alice.client.post(f"{account}/enable")

    async with database.reading() as session:
        events = list(await session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
    assert [event.action for event in events] == [
        "group.created",
        "service_account.created",
        "group.member_added",
        "group.made_main",
        "key.created",
        "service_account.renamed",
        "group.member_removed",
        "service_account.disabled",
        "service_account.enabled",
    ]
    assert {event.actor_name for event in events} == {"alice"}
