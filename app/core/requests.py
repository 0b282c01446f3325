"""What every request passes through: an id, a size limit, the origin check, and headers on the way out.

Pure ASGI: nothing here buffers a stream.
"""

import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.database import SAFE_METHODS
from app.core.errors import Forbidden, ParleyError, TooLarge, unforeseen
from app.core.ids import new_id
from app.logs import REQUEST_ID, Log

RawHeaders = dict[bytes, bytes]
Refuse = Callable[[Request, ParleyError], Response]

log = Log("request")

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
    # Unless a route says otherwise: what a program or a person got is kept by no cache on the way.
    "cache-control": "no-store",
}
PATHS_OF_PROGRAMS = ("/api/", "/v1/", "/ollama/", "/ws/")
"""Where keys count, and errors are JSON."""
RAW_SECURITY_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def is_htmx(request: Request) -> bool:
    """Whether htmx asked, so that a fragment is wanted instead of a page."""
    return request.headers.get("hx-request") == "true"


def wants_json(request: Request) -> bool:
    """Whether the answer, errors included, is for a program."""
    return request.url.path.startswith(PATHS_OF_PROGRAMS)


def address_of(connection: HTTPConnection) -> str:
    """The caller's address, as far as trusted proxies tell."""
    return connection.client.host if connection.client else ""


def local_path(address: str) -> str | None:
    """`address` when it is a path on this site, and may be redirected to; else None."""
    # Browsers read `//host`, `/\\host` and addresses with control characters in them as other sites.
    is_path = address.startswith("/") and not address.startswith("//")
    return address if is_path and "\\" not in address and address.isprintable() else None


def is_own_origin(origin: str, host: str, public_host: str) -> bool:
    """Whether a browser says that a page of ours asks: the headers Origin and Host; without an Origin nobody says so."""
    return origin.partition("://")[2] in {host, public_host} - {""}


class RequestGuard:
    """The outermost layer. `refuse` renders an error as the response to a request that goes no further."""

    def __init__(self, app: ASGIApp, *, largest: int, public_url: str, refuse: Refuse) -> None:
        self.app = app
        self.largest = largest
        self.public_host = urlsplit(public_url).netloc
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Looked up without going through all of them each time; of one that came twice, the first counts.
        headers: RawHeaders = dict(reversed(scope["headers"]))
        request_id = scope["parley.request_id"] = _request_id(headers)
        REQUEST_ID.set(request_id)
        started = time.perf_counter()
        answer = Answer(send, request_id)
        try:
            await self._answer(scope, headers, receive, answer)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=_route_or_path(scope),
                status=answer.status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
            REQUEST_ID.set("")

    async def _answer(self, scope: Scope, headers: RawHeaders, receive: Receive, answer: "Answer") -> None:
        error = self._refusal(scope, headers)
        if error is None:
            error = await self._passed(scope, Body(receive, self.largest), answer)
        if error is None:
            return
        response = self.refuse(Request(scope, receive), error)
        await response(scope, receive, answer.send)

    async def _passed(self, scope: Scope, body: "Body", answer: "Answer") -> ParleyError | None:
        """What is still to be answered, now that the application is through."""
        broken: Exception | None = None
        try:
            await self.app(scope, body.receive, answer.unless(body))
        except TooLarge:
            pass
        except Exception as error:
            # What was begun cannot be answered otherwise; the server hangs up.
            if answer.has_started:
                raise
            broken = error
        if answer.has_started:
            return None
        if body.is_too_large:
            return _too_large(self.largest)
        return unforeseen(broken) if broken else None

    def _refusal(self, scope: Scope, headers: RawHeaders) -> ParleyError | None:
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.largest:
            return _too_large(self.largest)
        if scope["method"] not in SAFE_METHODS and self._is_cross_site(headers):
            return Forbidden("This request came from another site. Open Parley itself and try again.")
        return None

    def _is_cross_site(self, headers: RawHeaders) -> bool:
        """Browsers say where a request comes from; programs with keys of their own say nothing and may pass.

        Sec-Fetch-Site is missing in old browsers, and in all of them on http:// addresses of other machines:
        there the Origin must be the host that was asked, or the one that PUBLIC_URL names.
        """
        site = headers.get(b"sec-fetch-site")
        if site is not None:
            return site not in (b"same-origin", b"none")
        if (origin := headers.get(b"origin")) is None:
            return False
        host = headers.get(b"host", b"")
        return not is_own_origin(origin.decode("latin-1"), host.decode("latin-1"), self.public_host)


class Answer:
    """The response on its way out: gets its id and the security headers, and its status is remembered."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    @property
    def has_started(self) -> bool:
        return self.status != 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = list(message.get("headers", ()))
            names = {name for name, _ in given}
            given += [header for header in RAW_SECURITY_HEADERS if header[0] not in names]
            given.append((b"x-request-id", self._request_id.encode()))
            message["headers"] = given
        await self._send(message)

    def unless(self, body: "Body") -> Send:
        """Sends, but holds back what the application makes of a body that was cut off as too large."""

        async def send(message: Message) -> None:
            if self.has_started or not body.is_too_large:
                await self.send(message)

        return send


class Body:
    """The request's body on its way in; raises TooLarge when it grows beyond `largest` bytes.

    That nobody announced a length (chunked) does not help: what arrives is counted.
    """

    def __init__(self, receive: Receive, largest: int) -> None:
        self._receive = receive
        self._largest = largest
        self._received = 0

    @property
    def is_too_large(self) -> bool:
        return self._received > self._largest

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self.is_too_large:
            raise _too_large(self._largest)
        return message


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"A request may be at most {largest / 1_000_000:g} MB. Send less at once.")


def _request_id(headers: RawHeaders) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if GIVEN_ID.fullmatch(given) else new_id()


def _route_or_path(scope: Scope) -> str:
    # The route's pattern, not the address: addresses may hold one-time tokens.
    return getattr(scope.get("route"), "path", None) or "(no route)"
