"""The doors' way to the person asking: as a parameter, `user: CurrentUser`.

Keys open what is made for programs and nothing else; a browser's cookie opens everything. A key that is
presented is what counts: a revoked key is not rescued by a cookie beside it.
"""

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from app.accounts import cookies, sessions, tokens
from app.accounts.audit import Act
from app.accounts.callers import Caller
from app.accounts.doorkeeper import Doorkeeper
from app.accounts.house import House, Visit
from app.accounts.identity import Credentials, Identity, still_valid
from app.accounts.key_rules import Scope
from app.accounts.models import User
from app.core.clock import now
from app.core.crypto import Secrets
from app.core.database import database_of
from app.core.errors import NotFound, NotSignedIn
from app.core.requests import PATHS_OF_PROGRAMS, address_of
from app.core.settings import Settings
from app.live.tasks import Tasks

__all__ = [
    "Caller",
    "CurrentAct",
    "CurrentAdministrator",
    "CurrentHouse",
    "CurrentIdentity",
    "CurrentUser",
    "CurrentVisit",
    "Identity",
    "MaybeIdentity",
    "MaybeUser",
    "Scope",
    "caller_of",
    "doorkeeper_of",
    "identify",
    "needs",
    "require_identity",
    "still_valid",
]

LOG_IN = "Log in to go on. Programs send an API key, made under Settings."
HEADERS_OF_PROXIES = {
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
}


async def identify(connection: HTTPConnection) -> Identity | None:
    """Who sent this request or opens this socket, or None. Raises what `Doorkeeper.authenticate` raises.

    A person who is turned away never holds up those who write: what is read is read in a session of its own.
    """
    at = now()
    identity = await doorkeeper_of(connection).authenticate(credentials_of(connection), at)
    if (
        identity is not None
        and identity.sign_in is not None
        and sessions.is_due_for_renewal(identity.sign_in, at)
    ):
        _renew(connection, identity.sign_in.id)
    return identity


async def require_identity(connection: HTTPConnection) -> Identity:
    """Who sent this request or opens this socket. Raises NotSignedIn when nobody did, and what `identify` raises."""
    identity = await identify(connection)
    if identity is None:
        raise NotSignedIn(LOG_IN)
    return identity


async def caller_of(connection: HTTPConnection) -> Caller:
    """The same as plain values, for doors of programs. Raises NotSignedIn."""
    return (await require_identity(connection)).caller


def credentials_of(connection: HTTPConnection) -> Credentials:
    """What this request brought. Keys count where programs call only."""
    address = address_of(connection)
    key = _key_in(connection) if connection.scope["path"].startswith(PATHS_OF_PROGRAMS) else None
    if key is not None:
        return Credentials(key=key, address=address)
    return Credentials(session_token=cookies.token_in(connection), address=address)


def doorkeeper_of(connection: HTTPConnection) -> Doorkeeper:
    doorkeeper: Doorkeeper = connection.app.state.doorkeeper
    return doorkeeper


def needs(scope: Scope) -> Any:
    """For the `dependencies` of a router: a key must have this scope to come in."""

    async def check(identity: CurrentIdentity) -> None:
        identity.caller.require(scope)

    return Depends(check)


def _key_in(connection: HTTPConnection) -> str | None:
    given = connection.headers.get("x-api-key")
    if given is not None:
        return given.strip()
    scheme, _, rest = connection.headers.get("authorization", "").partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else None


def _renew(connection: HTTPConnection, session_id: str) -> None:
    """Slide the session, in the background and rarely: a page view writes nothing."""
    tasks: Tasks = connection.app.state.tasks
    settings: Settings = connection.app.state.settings
    at = now()
    expires_at = at + sessions.lifetime(settings)
    renewal = sessions.renew(database_of(connection), session_id, at, expires_at)
    tasks.start("renew session", renewal)
    token = tokens.issue(_signing_key(connection), session_id, issued_at=at, expires_at=expires_at)
    cookies.renew_with_answer(connection, token, expires_at)


async def _maybe_identity(connection: HTTPConnection) -> Identity | None:
    identity = await identify(connection)
    connection.state.viewer = identity.user if identity else None
    return identity


async def _identity(identity: Annotated[Identity | None, Depends(_maybe_identity)]) -> Identity:
    if identity is None:
        raise NotSignedIn(LOG_IN)
    return identity


async def _user(identity: Annotated[Identity, Depends(_identity)]) -> User:
    return identity.user


async def _maybe_user(identity: Annotated[Identity | None, Depends(_maybe_identity)]) -> User | None:
    return identity.user if identity else None


async def _administrator(identity: Annotated[Identity, Depends(_identity)]) -> User:
    # Not found rather than forbidden: a member need not learn which pages there are.
    if not identity.user.is_administrator:
        raise NotFound
    identity.caller.require(Scope.ADMIN)
    return identity.user


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
