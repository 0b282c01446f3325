"""Logging in and out, and what guessing costs."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from app.accounts import attempts, password_rules
from app.accounts.models import AuditEvent, SignInAttempts
from app.core.clock import now
from app.core.database import Database
from app.core.errors import Invalid
from tests.cast import BASE_URL, PASSWORD, Cast, Visitor


async def log_in(client: httpx.AsyncClient, login: str, password: str, **more: str) -> httpx.Response:
    return await client.post("/login", data={"login": login, "password": password, **more})


def coming_from(app: FastAPI, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL)


@pytest.mark.parametrize("login", ["bob", "BOB", " bob ", "bob@example.org", "Bob@Example.org"])
async def test_one_logs_in_by_username_or_e_mail(client: Visitor, cast: Cast, login: str) -> None:
    response = await log_in(client, login, PASSWORD)

    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await client.get("/api/me")).json()["username"] == "bob"


async def test_over_https_the_cookie_is_secure(app: FastAPI, cast: Cast) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://parley.test") as browser:
        response = await log_in(browser, "bob", PASSWORD)

        assert response.headers["set-cookie"].startswith("__Host-parley_session=")
        assert "Secure" in response.headers["set-cookie"]
        assert (await browser.get("/api/me")).status_code == 200


async def test_over_https_a_plain_cookie_counts_for_nothing(app: FastAPI, cast: Cast) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://parley.test") as browser:
        planted = await browser.get("/api/me", headers={"cookie": f"parley_session={cast.bob.token}"})
        own = await browser.get("/api/me", headers={"cookie": f"__Host-parley_session={cast.bob.token}"})

    assert (planted.status_code, own.status_code) == (401, 200)


async def test_logging_out_ends_the_session(client: Visitor, cast: Cast) -> None:
    await log_in(client, "bob", PASSWORD)

    response = await client.post("/logout")

    assert response.headers["location"] == "/login"
    assert (await client.get("/api/me")).status_code == 401


async def test_logging_out_is_no_link(cast: Cast) -> None:
    assert (await cast.bob.client.get("/logout")).status_code == 405


async def test_a_refusal_does_not_tell_whether_there_is_such_an_account(client: Visitor, cast: Cast) -> None:
    known = await log_in(client, "bob", "not the password")
    unknown = await log_in(client, "bub", "not the password")

    assert known.status_code == unknown.status_code == 422
    assert known.text == unknown.text.replace("bub", "bob")


async def test_a_disabled_account_is_told_so_only_with_its_password(client: Visitor, cast: Cast) -> None:
    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/disable")

    wrong = await log_in(client, "bob", "not the password")
    right = await log_in(client, "bob", PASSWORD)

    assert "disabled" not in wrong.text
    assert right.status_code == 422
    assert "This account is disabled" in right.text
    assert (await client.get("/api/me")).status_code == 401


async def test_failures_are_logged_without_what_was_typed(
    client: Visitor, cast: Cast, database: Database
) -> None:
    await log_in(client, "my-secret-password-in-the-wrong-field", "x")
    await log_in(client, "bob", "another secret")

    async with database.reading() as session:
        events = (await session.scalars(select(AuditEvent).order_by(AuditEvent.id))).all()
    assert [(event.action, event.subject) for event in events] == [
        ("session.refused", "an unknown account"),
        ("session.refused", "bob"),
    ]
    assert "secret" not in repr([vars(event) for event in events])


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [
        ("/chats/7?x=1", "/chats/7?x=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("", "/"),
    ],
)
async def test_next_leads_to_places_here_only(client: Visitor, cast: Cast, back: str, leads_to: str) -> None:
    response = await log_in(client, "bob", PASSWORD, next=back)
    assert response.headers["location"] == leads_to

    signed_in = await client.get("/login", params={"next": back})
    assert signed_in.headers["location"] == leads_to


async def test_guessing_has_to_wait_longer_and_longer(client: Visitor, cast: Cast) -> None:
    for _ in range(5):
        assert (await log_in(client, "bob", "wrong")).status_code == 422

    refused = await log_in(client, "bob", PASSWORD)

    assert refused.status_code == 429, "the right password has to wait as well"
    assert int(refused.headers["retry-after"]) >= 1
    assert "Try again in" in refused.text
    assert (await log_in(client, "charlie", PASSWORD)).status_code == 303, "others do not have to wait"


async def test_strangers_who_guess_keep_nobody_else_waiting(
    app: FastAPI, client: Visitor, cast: Cast
) -> None:
    for _ in range(6):
        response = await log_in(client, "bob", "wrong")
    assert response.status_code == 429

    async with coming_from(app, "192.0.2.7") as bob:
        assert (await log_in(bob, "bob", PASSWORD)).status_code == 303


async def test_guessing_from_everywhere_has_to_wait_except_where_one_has_logged_in_before(
    app: FastAPI, cast: Cast
) -> None:
    async with coming_from(app, "192.0.2.7") as own, coming_from(app, "192.0.2.8") as other:
        assert (await log_in(own, "bob", PASSWORD)).status_code == 303
        await own.post("/logout")
        for address in range(21):
            async with coming_from(app, f"198.51.100.{address}") as stranger:
                statuses = [(await log_in(stranger, "bob", "wrong")).status_code for _ in range(5)]
        assert 429 in statuses

        assert (await log_in(other, "bob", PASSWORD)).status_code == 429
        assert (await log_in(own, "bob", PASSWORD)).status_code == 303


async def test_guessing_where_one_has_logged_in_before_has_to_wait_too(client: Visitor, cast: Cast) -> None:
    await log_in(client, "bob", PASSWORD)

    statuses = [(await log_in(client, "bob", "wrong")).status_code for _ in range(6)]

    assert statuses == [422] * 5 + [429]


async def test_having_logged_in_before_helps_with_no_other_account(client: Visitor, cast: Cast) -> None:
    for _ in range(6):
        await log_in(client, "alice", "wrong")
    await log_in(client, "bob", PASSWORD)

    assert (await log_in(client, "alice", PASSWORD)).status_code == 429


async def test_names_without_an_account_have_to_wait_alike(client: Visitor, cast: Cast) -> None:
    for _ in range(5):
        assert (await log_in(client, "nobody", "wrong")).status_code == 422

    assert (await log_in(client, "nobody", "wrong")).status_code == 429


async def test_a_hundred_guesses_at_once_are_a_hundred_guesses(client: Visitor, cast: Cast) -> None:
    responses = await asyncio.gather(*(log_in(client, "bob", f"guess {number}") for number in range(20)))

    statuses = [response.status_code for response in responses]
    assert statuses.count(422) == 5
    assert statuses.count(429) == 15


async def test_an_address_that_tries_many_names_has_to_wait(client: Visitor, cast: Cast) -> None:
    statuses = [(await log_in(client, f"name{number}", "wrong")).status_code for number in range(31)]

    assert statuses[:30] == [422] * 30
    assert statuses[30] == 429


async def test_the_right_password_clears_the_account_but_not_the_address(
    client: Visitor, cast: Cast, database: Database
) -> None:
    for _ in range(3):
        await log_in(client, "bob", "wrong")
    await log_in(client, "bob", PASSWORD)

    async with database.reading() as session:
        rows = (await session.scalars(select(SignInAttempts))).all()
    assert [row.failures for row in rows] == [3, 3], "of the address, and of the account from everywhere"


async def test_old_failures_are_forgotten(client: Visitor, cast: Cast, database: Database) -> None:
    for _ in range(6):
        await log_in(client, "bob", "wrong")
    async with database.writing() as session:
        await session.execute(update(SignInAttempts).values(last_failure_at=now() - timedelta(days=2)))

    assert (await log_in(client, "bob", "wrong")).status_code == 422
    assert (await log_in(client, "bob", PASSWORD)).status_code == 303


@pytest.mark.parametrize(("minutes", "left"), [(-1, 12), (0, 12), (9, 12), (10, 11), (60, 6), (600, 0)])
def test_failures_are_forgotten_one_by_one(minutes: int, left: int) -> None:
    assert attempts.remembered(12, timedelta(minutes=minutes)) == left


@pytest.mark.parametrize(("failures", "seconds"), [(4, 0), (5, 1), (6, 2), (8, 8), (50, 900)])
def test_delays_double(failures: int, seconds: int) -> None:
    moment = now()

    assert attempts.waiting_time(failures, 5, moment, moment) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "password",
    [
        "short pw",
        "password123",
        "Password123!",
        "P@ssw0rd2026",
        "1234567890",
        "qwertyuiop",
        "1qaz2wsx3edc",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabc",
        "abcdefghijklm",
        "iloveyou!!!",
        "welcome2026",
        "bob-archer-1",
        "bob@example.org",
        "x" * 1001,
    ],
)
def test_passwords_that_everybody_would_try_are_refused(password: str) -> None:
    with pytest.raises(Invalid):
        password_rules.refuse_weak(password, "bob", "bob@example.org", "Bob Archer")


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "correct horse battery staple", "gT7#kd92mQz", "пароль из разных слов", "kiwi-lamp-42"],
)
def test_other_passwords_are_taken(password: str) -> None:
    password_rules.refuse_weak(password, "bob", "bob@example.org", "Bob Archer")


async def test_after_an_expired_session_one_returns_to_where_one_was(client: Visitor, cast: Cast) -> None:
    page = await client.get("/settings?done=a&b=c d")
    assert page.headers["location"] == "/login?next=%2Fsettings%3Fdone%3Da%26b%3Dc%2520d"

    fragment = await client.post(
        "/settings/profile",
        headers={"hx-request": "true", "hx-current-url": "http://parley.test/settings?x=1"},
    )
    assert fragment.headers["hx-redirect"] == "/login?next=%2Fsettings%3Fx%3D1"

    form = await client.post("/settings/profile", headers={"referer": "http://parley.test/settings"})
    assert form.headers["location"] == "/login?next=%2Fsettings"

    elsewhere = await client.get("//evil.example/x")
    assert "evil.example" not in elsewhere.headers.get("location", "")
