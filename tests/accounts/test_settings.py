"""What people change about their own account."""

import re

from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.models import AuditEvent, SignInSession
from app.core.database import Database
from tests.cast import PASSWORD, Cast, Person, Visitor

NEW = "seven slow bicycles"


async def logged_in_again(app: FastAPI, person: Person, password: str = PASSWORD) -> Visitor:
    browser = Visitor(app)
    response = await browser.post("/login", data={"login": person.username, "password": password})
    assert response.status_code == 303, response.text
    return browser


async def test_name_and_time_zone(cast: Cast) -> None:
    response = await cast.bob.client.post(
        "/settings/profile", data={"name": "Robert", "timezone": "Europe/Rome"}
    )

    assert response.headers["location"] == "/settings?done=profile#profile"
    me = (await cast.bob.client.get("/api/me")).json()
    assert (me["name"], me["timezone"]) == ("Robert", "Europe/Rome")


async def test_an_unknown_time_zone_is_refused(cast: Cast) -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", "", "\x00"):
        response = await cast.bob.client.post("/settings/profile", data={"name": "Bob", "timezone": zone})
        assert response.status_code == 422
        assert "Choose a time zone" in response.text


async def test_a_new_e_mail_address_takes_the_password(app: FastAPI, cast: Cast) -> None:
    wrong = await cast.bob.client.post(
        "/settings/email", data={"email": "robert@example.org", "current_password": "wrong"}
    )
    right = await cast.bob.client.post(
        "/settings/email", data={"email": "Robert@example.org", "current_password": PASSWORD}
    )

    assert wrong.status_code == 422
    assert "not your current password" in wrong.text
    assert right.status_code == 303
    browser = await logged_in_again(app, cast.bob)
    assert (await browser.get("/api/me")).json()["email"] == "robert@example.org"


async def test_a_form_with_an_error_can_be_reloaded(client: Visitor, cast: Cast) -> None:
    refused = await cast.bob.client.post("/settings/profile", data={"name": ""})
    reloaded = await cast.bob.client.get("/settings/profile")

    assert refused.status_code == 422
    assert reloaded.headers["location"] == "/settings#profile"
    assert (await cast.bob.client.get("/settings/nonsense")).status_code in (404, 422)


async def test_somebody_elses_address_is_refused(cast: Cast) -> None:
    response = await cast.bob.client.post(
        "/settings/email", data={"email": "alice@example.org", "current_password": PASSWORD}
    )

    assert response.status_code == 422
    assert "belongs to another account" in response.text


async def test_a_new_password_ends_the_other_sessions(app: FastAPI, client: Visitor, cast: Cast) -> None:
    elsewhere = await logged_in_again(app, cast.bob)

    response = await cast.bob.client.post(
        "/settings/password", data={"current_password": PASSWORD, "new_password": NEW}
    )

    assert response.status_code == 303
    assert (await cast.bob.client.get("/api/me")).status_code == 200
    assert (await elsewhere.get("/api/me")).status_code == 401
    old = await client.post("/login", data={"login": "bob", "password": PASSWORD})
    assert old.status_code == 422
    await logged_in_again(app, cast.bob, NEW)


async def test_a_new_password_takes_the_old_one_and_must_be_good(cast: Cast) -> None:
    wrong = await cast.bob.client.post(
        "/settings/password", data={"current_password": "wrong", "new_password": NEW}
    )
    weak = await cast.bob.client.post(
        "/settings/password", data={"current_password": PASSWORD, "new_password": "password123"}
    )

    assert wrong.status_code == weak.status_code == 422
    assert "not your current password" in wrong.text
    assert "tried first" in weak.text


async def test_the_current_password_cannot_be_guessed_in_settings_either(cast: Cast) -> None:
    for _ in range(5):
        await cast.bob.client.post("/settings/password", data={"current_password": "x", "new_password": NEW})

    response = await cast.bob.client.post(
        "/settings/password", data={"current_password": PASSWORD, "new_password": NEW}
    )

    assert response.status_code == 429


async def test_one_sees_and_ends_ones_own_sessions(app: FastAPI, cast: Cast, database: Database) -> None:
    elsewhere = await logged_in_again(app, cast.bob)
    page = (await cast.bob.client.get("/settings")).text
    ids = re.findall(r"/settings/sessions/(\w+)/end", page)
    other = next(session_id for session_id in ids if session_id != "others")
    assert "This one" in page

    await cast.bob.client.post(f"/settings/sessions/{other}/end")

    assert (await elsewhere.get("/api/me")).status_code == 401
    assert (await cast.bob.client.get("/api/me")).status_code == 200


async def test_all_other_sessions_end_together(app: FastAPI, cast: Cast) -> None:
    others = [await logged_in_again(app, cast.bob) for _ in range(2)]

    await cast.bob.client.post("/settings/sessions/others/end")

    assert [(await other.get("/api/me")).status_code for other in others] == [401, 401]
    assert (await cast.bob.client.get("/api/me")).status_code == 200


async def test_nobody_ends_somebody_elses_session(cast: Cast, database: Database) -> None:
    response = await cast.charlie.client.post(f"/settings/sessions/{cast.bob.session_id}/end")

    assert response.status_code == 404
    async with database.reading() as session:
        assert (await session.get_one(SignInSession, cast.bob.session_id)).ended_at is None


async def test_the_theme_is_a_cookie_and_leads_back(client: Visitor) -> None:
    response = await client.post(
        "/settings/theme", data={"theme": "dark"}, headers={"referer": "http://parley.test/login?next=/x"}
    )

    assert response.headers["location"] == "/login?next=/x"
    assert "theme=dark" in response.headers["set-cookie"]
    elsewhere = await client.post(
        "/settings/theme", data={"theme": "dark"}, headers={"referer": "http://evil.example/x"}
    )
    assert elsewhere.headers["location"] == "/"
    assert (await client.post("/settings/theme", data={"theme": "pink"})).status_code == 422


async def test_changes_are_audited_without_secrets(cast: Cast, database: Database) -> None:
    await cast.bob.client.post("/settings/password", data={"current_password": PASSWORD, "new_password": NEW})
    async with database.reading() as session:
        events = (await session.scalars(select(AuditEvent).order_by(AuditEvent.id))).all()
    assert [event.action for event in events] == ["user.password_changed"]
    assert all(event.actor_name == "bob" and event.address == "127.0.0.1" for event in events)
    written = repr([vars(event) for event in events])
    assert NEW not in written
    assert PASSWORD not in written
