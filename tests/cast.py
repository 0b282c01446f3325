"""The cast: Alice administers and owns, Bob is on her team, Charlie must see nothing of theirs.

Everybody's password is `PASSWORD`; each is signed in already, so that no test waits for a slow hash.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from fastapi import FastAPI
from httpx import ASGITransport

from app.accounts import cookies, tokens
from app.accounts.models import SignInSession, User, UserRole
from app.core.clock import now
from app.core.crypto import Secrets
from app.core.database import Database

PASSWORD = "a harbour of quiet lamps"
PASSWORD_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$qDWm9N47R6jVeu89xxiD8A$RqjRnRNKAvWITVx4Ii62j0Aa7MEp7JkTklI7Vd9U7Bg"
)
BASE_URL = "http://parley.test"
HTMX = {"hx-request": "true"}
"""Headers of a request that wants a fragment instead of a page."""


@dataclass(frozen=True)
class StartedChat:
    """What a test needs to find a chat again."""

    id: str
    title: str


@dataclass
class Person:
    """Somebody with an account and an open browser."""

    id: str
    username: str
    name: str
    email: str
    session_id: str
    token: str
    client: httpx.AsyncClient = field(repr=False)
    password: str = PASSWORD

    async def starts_a_chat(self, title: str = "Salaries") -> StartedChat:
        """Start a chat through the door, without a question yet."""
        response = await self.client.post("/api/chats", json={"title": title})
        assert response.is_success, response.text
        return StartedChat(id=response.json()["id"], title=title)


@dataclass(frozen=True)
class Cast:
    alice: Person
    bob: Person
    charlie: Person


class Visitor(httpx.AsyncClient):
    """A browser that keeps cookies and follows no redirects; `as_` gives one where somebody is signed in."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(transport=ASGITransport(app), base_url=BASE_URL)

    def as_(self, person: Person) -> httpx.AsyncClient:
        return person.client


async def sign_in_the_cast(app: FastAPI) -> Cast:
    """Make the three accounts and a live session for each, in one transaction."""
    people = (
        ("alice", "Alice Liddell", UserRole.ADMINISTRATOR),
        ("bob", "Bob Archer", UserRole.MEMBER),
        ("charlie", "Charlie Brook", UserRole.MEMBER),
    )
    return Cast(**{username: await signed_in(app, username, name, role) for username, name, role in people})


async def signed_in(app: FastAPI, username: str, name: str, role: UserRole = UserRole.MEMBER) -> Person:
    """A new account, with a browser that is signed in to it."""
    user, sign_in = await insert_person(app.state.database, username, name, role)
    secrets: Secrets = app.state.secrets
    token = tokens.issue(
        secrets.signing_key, sign_in.id, issued_at=sign_in.created_at, expires_at=sign_in.expires_at
    )
    browser = Visitor(app)
    is_secure = app.state.settings.public_url.startswith("https://")
    browser.cookies.set(cookies.SECURE_NAME if is_secure else cookies.NAME, token)
    return Person(user.id, username, name, user.email, sign_in.id, token, browser)


async def insert_person(
    database: Database, username: str, name: str, role: UserRole
) -> tuple[User, SignInSession]:
    """The rows of an account and of a session of it."""
    email = f"{username}@example.org"
    async with database.writing() as session:
        user = User(username=username, name=name, email=email, role=role, password_hash=PASSWORD_HASH)
        session.add(user)
        await session.flush()
        sign_in = SignInSession(user_id=user.id, expires_at=now() + timedelta(days=30))
        session.add(sign_in)
    return user, sign_in
