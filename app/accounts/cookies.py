"""The cookie that carries a session's token, and the layer that hands out its renewal."""

from collections.abc import Mapping
from datetime import datetime

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.clock import now
from app.core.settings import Settings

NAME = "parley_session"
SECURE_NAME = f"__Host-{NAME}"
RENEWED = "renewed_session_token"


def token_in(cookies: Mapping[str, str]) -> str | None:
    """The session token a browser sent, if any."""
    return cookies.get(SECURE_NAME) or cookies.get(NAME)


def keep(request: Request, response: Response, token: str, expires_at: datetime) -> None:
    """Let the browser keep `token` until `expires_at`."""
    secure = is_secure(request)
    response.set_cookie(
        SECURE_NAME if secure else NAME,
        token,
        max_age=max(0, int((expires_at - now()).total_seconds())),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def forget(request: Request, response: Response) -> None:
    """Let the browser forget its token."""
    response.delete_cookie(NAME, path="/", httponly=True, samesite="lax")
    if is_secure(request):
        response.delete_cookie(SECURE_NAME, path="/", secure=True, httponly=True, samesite="lax")


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
