"""What every request passes through: an id, a size limit, the origin check, and headers on the way out.

Pure ASGI: nothing here buffers a stream.
"""

import re
import time
from collections.abc import Callable, Iterable

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.database import SAFE_METHODS
from app.core.errors import Forbidden, ParleyError, TooLarge
from app.core.ids import new_id

Refuse = Callable[[Request, ParleyError], Response]

log = structlog.get_logger("parley.request")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_htmx(request: Request) -> bool:
    """Whether htmx asked, so that a fragment is wanted instead of a page."""
    return request.headers.get("hx-request") == "true"


def wants_json(request: Request) -> bool:
    """Whether the answer, errors included, is for a program."""
    return request.url.path.startswith("/api/")


def address_of(request: Request) -> str:
    """The caller's address, as far as trusted proxies tell."""
    return request.client.host if request.client else ""


class RequestGuard:
    """The outermost layer. `refuse` renders an error as the response to a request that goes no further."""

    def __init__(self, app: ASGIApp, *, largest: int, refuse: Refuse) -> None:
        self.app = app
        self.largest = largest
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                outgoing = MutableHeaders(scope=message)
                outgoing["x-request-id"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    outgoing.setdefault(name, value)
            await send(message)

        try:
            error = _refusal(scope, headers, self.largest)
            if error is not None:
                response = self.refuse(Request(scope, receive), error)
                await response(scope, receive, send_with_headers)
            else:
                await self.app(scope, _limited(receive, self.largest), send_with_headers)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=_route_or_path(scope),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
            structlog.contextvars.clear_contextvars()


def _refusal(scope: Scope, headers: Headers, largest: int) -> ParleyError | None:
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > largest:
        return _too_large(largest)
    if scope["method"] not in SAFE_METHODS and _is_cross_site(headers):
        return Forbidden("This request came from another site. Open Parley itself and try again.")
    return None


def _is_cross_site(headers: Headers) -> bool:
    """Browsers say where a request comes from; programs with keys of their own say nothing and may pass."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    return origin.partition("://")[2] not in _own_hosts(headers)


def _own_hosts(headers: Headers) -> Iterable[str]:
    return [headers.get("host", "")]


def _limited(receive: Receive, largest: int) -> Receive:
    received = 0

    async def receive_counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > largest:
            raise _too_large(largest)
        return message

    return receive_counted


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"A request may be at most {largest / 1_000_000:g} MB. Send less at once.")


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else new_id()


def _route_or_path(scope: Scope) -> str:
    # The route's pattern, not the address: addresses may hold one-time tokens.
    return getattr(scope.get("route"), "path", None) or "(no route)"
