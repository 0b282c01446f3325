"""The cookies that carry a session's token and a known browser's mark, and the layer that renews the former."""

from datetime import datetime, timedelta

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.clock import now
from app.core.settings import Settings

NAME = "parley_session"
SECURE_NAME = f"__Host-{NAME}"
MARK_NAME = "parley_browser"
RENEWED = "renewed_session_token"
ONE_YEAR = timedelta(days=365)


def token_in(connection: HTTPConnection) -> str | None:
    """The session token a browser sent, if any."""
    return connection.cookies.get(_called(NAME, connection))


def mark_in(connection: HTTPConnection) -> str:
    """The mark by which a browser says that somebody logged in there before; empty without."""
    return connection.cookies.get(_called(MARK_NAME, connection), "")


def keep(request: Request, response: Response, token: str, expires_at: datetime) -> None:
    """Let the browser keep `token` until `expires_at`."""
    _set(request, response, NAME, token, expires_at - now())


def keep_mark(request: Request, response: Response, mark: str) -> None:
    """Let the browser keep `mark`, also after logging out."""
    _set(request, response, MARK_NAME, mark, ONE_YEAR)


def forget(request: Request, response: Response) -> None:
    """Let the browser forget its token."""
    response.delete_cookie(
        _called(NAME, request), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )


def _set(request: Request, response: Response, name: str, value: str, lives: timedelta) -> None:
    response.set_cookie(
        _called(name, request),
        value,
        max_age=max(0, int(lives.total_seconds())),
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def _called(name: str, connection: HTTPConnection) -> str:
    """What a cookie is called here.

    Over https only the `__Host-` name counts, which nobody but this very host can set: with the plain one a
    neighbouring subdomain could sign a person in to an account that is not theirs.
    """
    return f"__Host-{name}" if is_secure(connection) else name


def is_secure(connection: HTTPConnection) -> bool:
    """Whether people reach us over https, here or at the proxy in front."""
    settings: Settings = connection.app.state.settings
    return connection.url.scheme == "https" or settings.public_url.startswith("https://")


def renew_with_answer(connection: HTTPConnection, token: str, expires_at: datetime) -> None:
    """Send `token` along with whatever is answered to this request."""
    connection.scope.setdefault("state", {})[RENEWED] = (token, expires_at)


class RenewedCookies:
    """Adds the cookie that `renew_with_answer` asked for, whatever kind of response the route made."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_cookie(message: Message) -> None:
            renewed = scope.get("state", {}).get(RENEWED)
            if message["type"] == "http.response.start" and renewed is not None:
                _add_cookie(Request(scope), MutableHeaders(scope=message), *renewed)
            await send(message)

        await self.app(scope, receive, send_with_cookie if scope["type"] == "http" else send)


def _add_cookie(request: Request, headers: MutableHeaders, token: str, expires_at: datetime) -> None:
    if any(value.startswith((NAME, SECURE_NAME)) for value in headers.getlist("set-cookie")):
        return  # the route has just signed somebody in or out: its word counts
    carrier = Response()
    keep(request, carrier, token, expires_at)
    headers.append("set-cookie", carrier.headers["set-cookie"])
