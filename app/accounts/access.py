"""The doors' way to the person asking: as a parameter, `user: CurrentUser`.

Personal keys open `/api` and `/v1` only; a browser's cookie opens everything. A key that is presented is
what counts: a revoked key is not rescued by a cookie beside it.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from app.accounts import api_keys, cookies, sessions, tokens
from app.accounts.audit import Act
from app.accounts.house import House, Visit
from app.accounts.identity import Credentials, Identity, authenticate, still_valid
from app.accounts.models import User
from app.core.clock import now
from app.core.crypto import Secrets
from app.core.database import database_of
from app.core.errors import NotFound, NotSignedIn
from app.core.requests import address_of
from app.core.settings import Settings
from app.live.tasks import Tasks

__all__ = [
    "CurrentAct",
    "CurrentAdministrator",
    "CurrentHouse",
    "CurrentIdentity",
    "CurrentUser",
    "CurrentVisit",
    "Identity",
    "MaybeIdentity",
    "MaybeUser",
    "identify",
    "still_valid",
]

PATHS_FOR_KEYS = ("/api/", "/v1/")
HEADERS_OF_PROXIES = {
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
}


async def identify(connection: HTTPConnection) -> Identity | None:
    """Who sent this request or opens this socket, or None.

    Reads in a short session of its own: a person who is turned away never holds up those who write.
    """
    signing_key = _signing_key(connection)
    async with database_of(connection).reading() as session:
        identity = await authenticate(session, credentials_of(connection), signing_key, now())
    if identity is not None:
        _note_use(connection, identity)
    return identity


def credentials_of(connection: HTTPConnection) -> Credentials:
    """What this request brought. Keys count on `/api` and `/v1` only."""
    key = _key_in(connection) if connection.url.path.startswith(PATHS_FOR_KEYS) else None
    return Credentials(key=key, session_token=cookies.token_in(connection))


def _key_in(connection: HTTPConnection) -> str | None:
    given = connection.headers.get("x-api-key")
    if given is not None:
        return given.strip()
    scheme, _, rest = connection.headers.get("authorization", "").partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else None


def _note_use(connection: HTTPConnection, identity: Identity) -> None:
    """Slide the session or date the key, in the background and rarely: a page view writes nothing."""
    at = now()
    database = database_of(connection)
    tasks: Tasks = connection.app.state.tasks
    if identity.sign_in is not None and sessions.is_due_for_renewal(identity.sign_in, at):
        settings: Settings = connection.app.state.settings
        expires_at = at + sessions.lifetime(settings)
        tasks.start("renew session", sessions.renew(database, identity.sign_in.id, at, expires_at))
        token = tokens.issue(
            _signing_key(connection), identity.sign_in.id, issued_at=at, expires_at=expires_at
        )
        cookies.renew_with_answer(connection, token, expires_at)
    if identity.api_key is not None and api_keys.is_use_worth_noting(identity.api_key, at):
        tasks.start("note use of key", api_keys.note_use(database, identity.api_key.id))


async def _maybe_identity(connection: HTTPConnection) -> Identity | None:
    identity = await identify(connection)
    connection.state.viewer = identity.user if identity else None
    return identity


async def _identity(identity: Annotated[Identity | None, Depends(_maybe_identity)]) -> Identity:
    if identity is None:
        raise NotSignedIn("Log in to go on. Scripts send a personal key, made under Settings.")
    return identity


async def _user(identity: Annotated[Identity, Depends(_identity)]) -> User:
    return identity.user


async def _maybe_user(identity: Annotated[Identity | None, Depends(_maybe_identity)]) -> User | None:
    return identity.user if identity else None


async def _administrator(user: Annotated[User, Depends(_user)]) -> User:
    # Not found rather than forbidden: a member need not learn which pages there are.
    if not user.is_administrator:
        raise NotFound
    return user


async def _act(request: Request, administrator: Annotated[User, Depends(_administrator)]) -> Act:
    return Act(administrator, address_of(request))


def _house(connection: HTTPConnection) -> House:
    state = connection.app.state
    return House(database_of(connection), state.hub, state.settings, _signing_key(connection))


def _visit(request: Request) -> Visit:
    return Visit(
        address=address_of(request),
        user_agent=request.headers.get("user-agent", ""),
        host=request.headers.get("host", ""),
        was_forwarded=_was_forwarded(request),
        mark=cookies.mark_in(request),
    )


def _was_forwarded(request: Request) -> bool:
    # Browsers speak HTTP/1.1. nginx, unless told more, forwards in 1.0, under our own address, and names nobody.
    is_from_proxy = request.scope["http_version"] == "1.0"
    return is_from_proxy or any(name in HEADERS_OF_PROXIES for name in request.headers)


def _signing_key(connection: HTTPConnection) -> str:
    secrets: Secrets = connection.app.state.secrets
    return secrets.signing_key


CurrentIdentity = Annotated[Identity, Depends(_identity)]
CurrentUser = Annotated[User, Depends(_user)]
CurrentAdministrator = Annotated[User, Depends(_administrator)]
CurrentAct = Annotated[Act, Depends(_act)]
"""What an administrator is about to do: it lets nobody else in."""
MaybeUser = Annotated[User | None, Depends(_maybe_user)]
MaybeIdentity = Annotated[Identity | None, Depends(_maybe_identity)]
CurrentHouse = Annotated[House, Depends(_house)]
CurrentVisit = Annotated[Visit, Depends(_visit)]
