"""Who is asking: the same answer for cookie, Bearer and x-api-key, and never an old one."""

from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from jose import jwt
from sqlalchemy import event, update

from app.accounts import administration, api_keys, audit, cookies, sessions, tokens
from app.accounts.access import still_valid
from app.accounts.house import House
from app.accounts.identity import Credentials, Identity
from app.accounts.key_rules import rules_from
from app.accounts.models import ApiKey, SignInSession, User
from app.core.clock import now
from app.core.database import Database
from tests.cast import Cast, Person, Visitor
from tests.waiting import until

KEY_HEADERS = [lambda key: {"authorization": f"Bearer {key}"}, lambda key: {"x-api-key": key}]


@pytest.fixture
def house(app: FastAPI) -> House:
    return House(app.state.database, app.state.hub, app.state.settings, app.state.secrets.signing_key)


async def key_of(house: House, person: Person, expires: str = "") -> api_keys.NewKey:
    async with house.database.writing() as session:
        user = await session.get_one(User, person.id)
        act = audit.Act(user)
        rules = rules_from(now(), expires=expires)
        return await api_keys.create(session, user, house.signing_key, act, name="Script", rules=rules)


async def status_with(app: FastAPI, headers: dict[str, str], path: str = "/api/me") -> int:
    async with Visitor(app) as visitor:
        return (await visitor.get(path, headers=headers)).status_code


async def test_a_cookie_says_who_is_asking(client: Visitor, cast: Cast) -> None:
    response = await client.as_(cast.bob).get("/api/me")

    assert response.json()["username"] == "bob"


@pytest.mark.parametrize("headers", KEY_HEADERS)
async def test_a_key_says_who_is_asking(app: FastAPI, cast: Cast, house: House, headers) -> None:
    key = await key_of(house, cast.bob)

    async with Visitor(app) as script:
        response = await script.get("/api/me", headers=headers(key.secret))

    assert response.json()["username"] == "bob"


@pytest.mark.parametrize("headers", KEY_HEADERS)
async def test_a_key_opens_no_pages(app: FastAPI, cast: Cast, house: House, headers) -> None:
    key = await key_of(house, cast.alice)

    assert await status_with(app, headers(key.secret), "/settings") == 303
    assert await status_with(app, headers(key.secret), "/admin/users") == 303


@pytest.mark.parametrize("headers", KEY_HEADERS)
async def test_a_revoked_key_stops_at_once(app: FastAPI, cast: Cast, house: House, headers) -> None:
    key = await key_of(house, cast.bob)
    assert await status_with(app, headers(key.secret)) == 200

    response = await cast.bob.client.delete(f"/api/keys/{key.row.id}")

    assert response.status_code == 204
    assert await status_with(app, headers(key.secret)) == 401


@pytest.mark.parametrize("headers", KEY_HEADERS)
async def test_a_disabled_account_has_no_keys(app: FastAPI, cast: Cast, house: House, headers) -> None:
    key = await key_of(house, cast.bob)
    assert await status_with(app, headers(key.secret)) == 200

    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/disable")

    assert await status_with(app, headers(key.secret)) == 401


async def test_an_expired_key_is_refused(app: FastAPI, cast: Cast, house: House) -> None:
    key = await key_of(house, cast.bob, expires="1")
    async with house.database.writing() as session:
        await session.execute(update(ApiKey).values(expires_at=now() - timedelta(seconds=1)))

    assert await status_with(app, {"x-api-key": key.secret}) == 401


async def test_a_bad_key_is_not_rescued_by_a_cookie(client: Visitor, cast: Cast) -> None:
    response = await client.as_(cast.bob).get("/api/me", headers={"x-api-key": "parley_nonsense"})

    assert response.status_code == 401


async def test_only_a_hash_of_the_key_is_stored(cast: Cast, house: House) -> None:
    key = await key_of(house, cast.bob)

    stored = {value for value in vars(key.row).values() if isinstance(value, str)}

    assert key.secret not in stored
    assert not any(key.secret[20:] in value for value in stored)


def claims(cast: Cast) -> dict[str, object]:
    moment = int(now().timestamp())
    return {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "typ": tokens.SESSION,
        "jti": cast.bob.session_id,
        "iat": moment,
        "exp": moment + 3600,
    }


async def status_with_cookie(app: FastAPI, token: str) -> int:
    async with Visitor(app) as visitor:
        visitor.cookies.set(cookies.NAME, token)
        return (await visitor.get("/api/me")).status_code


async def test_a_token_made_as_ours_is_accepted(app: FastAPI, cast: Cast, house: House) -> None:
    # The premise of the forgeries below: each differs from this one in one thing.
    assert await status_with_cookie(app, jwt.encode(claims(cast), house.signing_key, "HS256")) == 200


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "parley:refresh"},
        {"aud": None},
        {"iss": "somebody else"},
        {"typ": "refresh"},
        {"typ": None},
        {"exp": 1_600_000_000},
        {"exp": None},
        {"jti": None},
        {"jti": "of-no-session"},
        {"jti": ["a", "list"]},
    ],
)
async def test_a_token_for_something_else_is_refused(
    app: FastAPI, cast: Cast, house: House, change: dict[str, object]
) -> None:
    altered = {name: value for name, value in (claims(cast) | change).items() if value is not None}

    assert await status_with_cookie(app, jwt.encode(altered, house.signing_key, "HS256")) == 401


async def test_a_token_signed_with_another_key_is_refused(app: FastAPI, cast: Cast) -> None:
    assert await status_with_cookie(app, jwt.encode(claims(cast), "another key" * 5, "HS256")) == 401


async def test_a_token_with_another_algorithm_is_refused(app: FastAPI, cast: Cast, house: House) -> None:
    assert await status_with_cookie(app, jwt.encode(claims(cast), house.signing_key, "HS512")) == 401


async def test_a_token_without_a_signature_is_refused(app: FastAPI, cast: Cast) -> None:
    header, payload, _ = cast.bob.token.split(".")
    nothing = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}

    assert await status_with_cookie(app, f"{nothing}.{payload}.") == 401
    assert await status_with_cookie(app, f"{header}.{payload}.") == 401
    assert await status_with_cookie(app, "nonsense") == 401


async def test_an_ended_session_is_refused_though_its_token_is_good(app: FastAPI, cast: Cast) -> None:
    assert await status_with_cookie(app, cast.bob.token) == 200

    await cast.bob.client.post("/logout")

    assert await status_with_cookie(app, cast.bob.token) == 401


async def test_a_session_slides_once_a_day(cast: Cast, database: Database) -> None:
    a_while_ago = now() - timedelta(days=20)
    async with database.writing() as session:
        await session.execute(
            update(SignInSession)
            .where(SignInSession.id == cast.bob.session_id)
            .values(renewed_at=a_while_ago, expires_at=now() + timedelta(days=10))
        )

    response = await cast.bob.client.get("/settings")
    assert "parley_session=" in response.headers["set-cookie"]
    assert "HttpOnly" in response.headers["set-cookie"]

    async def is_renewed() -> bool:  # it is written in the background
        return await end_of(database, cast.bob.session_id) > now() + timedelta(days=29)

    assert await until(is_renewed)
    assert "set-cookie" not in (await cast.bob.client.get("/settings")).headers


async def end_of(database: Database, session_id: str) -> datetime:
    async with database.reading() as session:
        return (await session.get_one(SignInSession, session_id)).expires_at


async def test_page_views_write_nothing(cast: Cast, database: Database) -> None:
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: statements.append(statement),
    )

    for path in ("/settings", "/api/me", "/api/keys"):
        assert (await cast.bob.client.get(path)).status_code == 200

    assert {statement.split()[0] for statement in statements} == {"SELECT"}
    assert "BEGIN IMMEDIATE" not in statements


async def test_streams_hear_that_a_session_ended(app: FastAPI, cast: Cast, house: House) -> None:
    identity = await identity_of(app, cast.bob)
    with app.state.hub.subscribe(*identity.streams) as subscription:
        assert await still_valid(house.database, identity)

        await cast.bob.client.post("/logout")

        assert await subscription.next() == sessions.SIGNED_OUT
        assert not await still_valid(house.database, identity)


async def test_streams_hear_that_an_account_was_disabled(app: FastAPI, cast: Cast, house: House) -> None:
    key = await key_of(house, cast.bob)
    identity = await app.state.doorkeeper.authenticate(Credentials(key=key.secret), now())
    assert identity is not None
    with app.state.hub.subscribe(*identity.streams) as subscription:
        async with house.database.writing() as session:
            await administration.disable(session, house, cast.bob.id, audit.Act(audit.COMMAND_LINE))

        assert await subscription.next() == sessions.SIGNED_OUT
        assert not await still_valid(house.database, identity)


async def identity_of(app: FastAPI, person: Person) -> Identity:
    credentials = Credentials(session_token=person.token)
    identity: Identity | None = await app.state.doorkeeper.authenticate(credentials, now())
    assert identity is not None
    return identity


async def test_an_error_of_the_api_is_json(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://parley.test") as nobody:
        response = await nobody.get("/api/me")

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_signed_in"
    assert response.headers["www-authenticate"].startswith("Bearer")
