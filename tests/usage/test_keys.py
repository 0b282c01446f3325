"""Keys as their owners make, see and end them, in the browser and as JSON."""

import re
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.models import ApiKey, AuditEvent
from app.catalog.models import Connection, Model
from app.core.clock import now
from app.core.database import Database
from app.usage.models import Budget
from tests.cast import Cast, Visitor

FORM = {"name": "Backup script", "scopes": ["chat", "usage"], "expires": "30"}


@pytest.fixture
async def model(cast: Cast, database: Database) -> str:
    async with database.writing() as session:
        connection = Connection(name="echo", label="Echo", kind="echo")
        session.add(connection)
        await session.flush()
        session.add(
            Model(connection_id=connection.id, name="echo", display_name="Echo, the parrot", is_enabled=True)
        )
    return "echo/echo"


async def only_key(database: Database) -> ApiKey:
    async with database.reading() as session:
        return (await session.scalars(select(ApiKey))).one()


def secret_in(page: httpx.Response) -> str:
    found = re.search(r'value="(parley_[\w-]+)"', page.text)
    assert found, page.text
    return found[1]


async def with_key(app: FastAPI, secret: str, method: str, path: str, **more: object) -> httpx.Response:
    async with Visitor(app) as script:
        return await script.request(method, path, headers={"x-api-key": secret}, **more)  # type: ignore[arg-type]


async def test_a_key_stores_its_calls_only_where_that_is_chosen(cast: Cast, database: Database) -> None:
    await cast.bob.client.post("/settings/keys", data=FORM)
    assert not (await only_key(database)).stores_calls

    form = await cast.bob.client.get("/settings/keys/new")
    assert 'name="stores_calls"' in form.text
    await cast.bob.client.post("/settings/keys", data=FORM | {"name": "Editor", "stores_calls": "true"})
    made = await cast.bob.client.post("/api/keys", json={"name": "Script", "stores_calls": True})

    assert made.json()["stores_calls"]
    keys = (await cast.bob.client.get("/api/keys")).json()
    assert [key["stores_calls"] for key in keys] == [True, True, False]
    shown = await cast.bob.client.get(f"/settings/keys/{keys[1]['id']}")
    assert "Stored as conversations" in shown.text


async def test_a_key_is_shown_once(app: FastAPI, cast: Cast) -> None:
    made = await cast.bob.client.post("/settings/keys", data=FORM)
    secret = secret_in(made)

    assert (await with_key(app, secret, "GET", "/api/me")).json()["username"] == "bob"
    later = await cast.bob.client.get("/settings/keys")
    assert secret not in later.text
    assert "Backup script" in later.text
    assert secret[:13] in later.text
    assert "chat, usage" in later.text


async def test_everything_that_was_chosen_holds_and_is_shown(
    cast: Cast, database: Database, model: str
) -> None:
    form = await cast.bob.client.get("/settings/keys/new")
    assert "Echo, the parrot" in form.text
    assert 'value="admin"' not in form.text

    tight = {"models": [model], "other_models": "fast\nbest", "ranges": "192.0.2.0/24, 2001:db8::/32"}
    await cast.bob.client.post(
        "/settings/keys", data=FORM | tight | {"expires": "day", "last_day": "2030-01-31", "limit": "20"}
    )

    key = await only_key(database)
    page = (await cast.bob.client.get(f"/settings/keys/{key.id}")).text
    assert key.scopes == "chat usage"
    for sight in ("echo/echo", "fast", "192.0.2.0/24", "2001:db8::/32", "$20.00 a month", 'value="20"'):
        assert sight in page, sight
    assert str(key.expires_at) == "2030-02-01 00:00:00+00:00"
    table = (await cast.bob.client.get("/settings/keys")).text
    assert "3 models, 2 address ranges" in table
    assert "$0.00 of $20.00 a month" in table


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": " "}, "Give the key a name"),
        ({"name": "Backup\x1b[2J"}, "one line of characters"),
        ({"name": "Backup\nbob\tadmin"}, "one line of characters"),
        ({"scopes": []}, "Choose at least one thing"),
        ({"scopes": ["root"]}, "There is no scope"),
        ({"scopes": ["admin"]}, "Only keys of administrators"),
        ({"expires": "day"}, "Choose the last day"),
        ({"expires": "day", "last_day": "2020-01-01"}, "between today and ten years"),
        ({"ranges": "everywhere"}, "is no address"),
        ({"limit": "much"}, "Write the limit as a number"),
    ],
)
async def test_what_does_not_fit_comes_back_with_a_sentence(
    cast: Cast, database: Database, change: dict[str, object], sentence: str
) -> None:
    response = await cast.bob.client.post("/settings/keys", data=FORM | change)

    assert response.status_code == 422
    assert sentence in response.text
    async with database.reading() as session:
        assert (await session.scalars(select(ApiKey))).all() == []
        assert (await session.scalars(select(Budget))).all() == []


async def test_a_limit_is_set_changed_and_taken_away(cast: Cast, database: Database) -> None:
    await cast.bob.client.post("/settings/keys", data=FORM)
    key = await only_key(database)

    async def limit_it(limit: str) -> list[tuple[str, int, bool]]:
        response = await cast.bob.client.post(f"/settings/keys/{key.id}/limit", data={"limit": limit})
        assert response.status_code == 303
        async with database.reading() as session:
            return [(row.subject, row.amount, row.is_own) for row in await session.scalars(select(Budget))]

    assert await limit_it("5") == [(key.id, 5_000_000, True)]
    assert await limit_it("7.50") == [(key.id, 7_500_000, True)]
    assert await limit_it("") == []


async def test_a_key_gets_another_name_and_stores_its_calls_from_now_on(
    cast: Cast, database: Database
) -> None:
    await cast.bob.client.post("/settings/keys", data=FORM)
    key = await only_key(database)
    address = f"/settings/keys/{key.id}"
    assert 'value="Backup script"' in (await cast.bob.client.get(address)).text

    nameless = await cast.bob.client.post(address, data={"name": " ", "stores_calls": "true"})
    assert (nameless.status_code, "Give the key a name" in nameless.text) == (422, True)
    assert not (await only_key(database)).stores_calls
    saved = await cast.bob.client.post(address, data={"name": "Editor", "stores_calls": "true"})

    assert "The key is saved" in (await cast.bob.client.get(saved.headers["location"])).text
    changed = await only_key(database)
    assert (changed.name, changed.stores_calls, changed.scopes) == ("Editor", True, key.scopes)
    await cast.bob.client.post(address, data={"name": "Editor"})
    again = await cast.bob.client.patch(f"/api/keys/{key.id}", json={"name": "Script"})
    assert (again.json()["name"], again.json()["stores_calls"]) == ("Script", False)
    async with database.reading() as session:
        told = await session.scalars(select(AuditEvent.detail).where(AuditEvent.action == "key.changed"))
        details = sorted(detail.partition(": ")[2] for detail in told)
    assert details == ["named Editor; stores calls", "named Script", "stores no calls"]


async def test_a_key_does_not_choose_for_itself_what_is_stored(
    app: FastAPI, cast: Cast, database: Database
) -> None:
    secret = secret_in(await cast.bob.client.post("/settings/keys", data=FORM))
    key = await only_key(database)

    answer = await with_key(app, secret, "PATCH", f"/api/keys/{key.id}", json={"stores_calls": True})

    assert answer.status_code == 403
    assert not (await only_key(database)).stores_calls


async def test_nobody_touches_somebody_elses_key(cast: Cast) -> None:
    key = (await cast.bob.client.post("/api/keys", json={"name": "Script"})).json()
    assert (await cast.bob.client.get(f"/settings/keys/{key['id']}")).status_code == 200

    for person in (cast.charlie, cast.alice):
        page = await person.client.get(f"/settings/keys/{key['id']}")
        limit = await person.client.post(f"/settings/keys/{key['id']}/limit", data={"limit": "1"})
        revoke = await person.client.post(f"/settings/keys/{key['id']}/revoke")
        change = await person.client.post(f"/settings/keys/{key['id']}", data={"name": "Mine"})
        patch = await person.client.patch(f"/api/keys/{key['id']}", json={"name": "Mine"})
        api = await person.client.delete(f"/api/keys/{key['id']}")

        answers = (page, limit, revoke, change, patch, api)
        assert {answer.status_code for answer in answers} == {404}
        assert (await person.client.get("/api/keys")).json() == []
    assert [row["id"] for row in (await cast.bob.client.get("/api/keys")).json()] == [key["id"]]


async def test_a_revoked_key_is_gone_from_the_page(app: FastAPI, cast: Cast, database: Database) -> None:
    secret = secret_in(await cast.bob.client.post("/settings/keys", data=FORM))
    key = await only_key(database)

    response = await cast.bob.client.post(f"/settings/keys/{key.id}/revoke")

    shown = await cast.bob.client.get(response.headers["location"])
    assert "It stopped working at once" in shown.text
    assert "Backup script" not in shown.text
    assert (await with_key(app, secret, "GET", "/api/me")).json()["error"]["code"] == "key_revoked"


async def test_as_json_a_key_says_what_it_may_do_and_never_itself(cast: Cast) -> None:
    wanted = {
        "name": "Script",
        "days": 30,
        "scopes": ["chat"],
        "models": ["echo/echo"],
        "ranges": ["192.0.2.7"],
        "monthly_limit": "2.50",
    }
    made = (await cast.bob.client.post("/api/keys", json=wanted)).json()

    listed = await cast.bob.client.get("/api/keys")

    assert made["secret"].startswith("parley_")
    assert made["secret"] not in listed.text
    assert "key_hash" not in listed.text
    (shown,) = listed.json()
    assert (shown["scopes"], shown["models"], shown["ranges"]) == (["chat"], ["echo/echo"], ["192.0.2.7/32"])


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"ranges": ["nowhere"]}, "ranges"),
        ({"models": ["a\nb"]}, "models"),
        ({"monthly_limit": "-1"}, "monthly_limit"),
    ],
)
async def test_as_json_what_does_not_fit_names_its_field(
    cast: Cast, wish: dict[str, object], field: str
) -> None:
    response = await cast.bob.client.post("/api/keys", json={"name": "Script"} | wish)

    assert response.status_code == 422
    assert response.json()["error"]["field"] == field


async def test_a_key_makes_no_keys_and_sees_none_but_may_end_itself(app: FastAPI, cast: Cast) -> None:
    made = (await cast.bob.client.post("/api/keys", json={"name": "Script"})).json()
    other = (await cast.bob.client.post("/api/keys", json={"name": "Other"})).json()
    assert (await with_key(app, made["secret"], "GET", "/api/me")).status_code == 200

    refused = [
        await with_key(app, made["secret"], "POST", "/api/keys", json={"name": "another"}),
        await with_key(app, made["secret"], "GET", "/api/keys"),
        await with_key(app, made["secret"], "DELETE", f"/api/keys/{other['id']}"),
    ]

    assert [response.status_code for response in refused] == [403, 403, 403]
    assert "browser" in refused[0].json()["error"]["message"]
    assert (await with_key(app, made["secret"], "DELETE", f"/api/keys/{made['id']}")).status_code == 204
    assert (await with_key(app, made["secret"], "GET", "/api/me")).status_code == 401


async def test_an_administrators_key_makes_keys_that_outdo_it_in_nothing(app: FastAPI, cast: Cast) -> None:
    wish = {"name": "Provisioning", "scopes": ["admin", "chat"], "days": 30}
    maker = (await cast.alice.client.post("/api/keys", json=wish)).json()["secret"]

    async def make(**wish: object) -> httpx.Response:
        return await with_key(
            app, maker, "POST", "/api/keys", json={"name": "Made", "days": 7, "scopes": ["chat"]} | wish
        )

    assert (await make()).status_code == 201
    assert (await make(scopes=["chat", "usage"])).status_code == 403
    assert (await make(days=31)).status_code == 403
    assert (await make(days=None)).status_code == 403


async def test_an_expired_key_is_shown_as_such(cast: Cast, database: Database) -> None:
    await cast.bob.client.post("/settings/keys", data=FORM)
    async with database.writing() as session:
        (await session.scalars(select(ApiKey))).one().expires_at = now() - timedelta(days=1)

    assert "Expired" in (await cast.bob.client.get("/settings/keys")).text


async def test_every_change_is_in_the_audit_log_without_the_key(cast: Cast, database: Database) -> None:
    secret = secret_in(await cast.bob.client.post("/settings/keys", data=FORM | {"limit": "5"}))
    key = await only_key(database)
    await cast.bob.client.post(f"/settings/keys/{key.id}/revoke")

    async with database.reading() as session:
        events = list(await session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
    assert [event.action for event in events] == ["key.created", "budget.created", "key.revoked"]
    assert "chat, usage; until" in events[0].detail
    assert all(event.actor_name == "bob" and event.address == "127.0.0.1" for event in events)
    assert secret not in repr([vars(event) for event in events])
