"""One call of a program, from its request to the last byte of its answer, whatever language it speaks.

Nothing is buffered: what a provider says is sent on at once, in its own words where the client speaks its
language, else in the client's. A call ends with whoever made it: a client that hangs up, a key that is revoked or expires.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from app.accounts.access import Scope, caller_of, doorkeeper_of
from app.accounts.callers import Caller
from app.core.errors import NotSignedIn, ParleyError
from app.core.ids import new_id
from app.gateway.calls import Call, Completion, Gateway
from app.providers.base import Request as ModelRequest
from app.providers.errors import ProviderError
from app.providers.passage import Dialect, Passage, Passed
from app.v1.attending import Attending
from app.v1.bodies import LARGE, body_of, json_in
from app.v1.failing import failure_of, headers_of
from app.v1.gathering import Gathering
from app.v1.recording import is_wanted, recorded
from app.v1.surface import (
    Answer,
    Asked,
    BadRequest,
    EndsForOthers,
    Failure,
    Json,
    Surface,
    Writer,
)

SECONDS_OF_SILENCE = 15.0
"""Before the first word; then whatever stands between is told that somebody is at work."""
SIGN_OF_LIFE = b": at work\n\n"
PASSED_HEADER = re.compile(r"[A-Za-z0-9_., -]{0,1000}")
HEADERS_OF_DIALECTS = {Dialect.ANTHROPIC_MESSAGES: ("anthropic-beta",)}


class Conversing(Response):
    """The response to a request of `surface`. Documents in `dialect` may be passed on as they are."""

    def __init__(self, request: Request, surface: Surface, dialect: Dialect | None = None) -> None:
        super().__init__()
        self._request = request
        self._surface = surface
        self._dialect = dialect
        self._gateway: Gateway = request.app.state.gateway
        self._attending: Attending | None = None
        self._why_shown_out: NotSignedIn | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        line = Line(send, self._surface, _request_id(scope))
        try:
            caller = await caller_of(self._request)
            caller.require(Scope.CHAT)
            # Before the request is read: it may be long in coming.
            with doorkeeper_of(self._request).inside(caller, self._show_out):
                asked, request = await self._asked()
                call = await self._call(caller, asked, request)
                if self._why_shown_out is None:
                    await self._attend(line, call, asked, receive)
            if self._why_shown_out is not None and not line.is_over:
                raise self._why_shown_out
        except ParleyError as error:
            await line.fail(failure_of(error, line.request_id))
        except Exception as error:
            if line.is_over:
                raise
            # Further out, nobody speaks the client's language.
            await line.fail(failure_of(error, line.request_id))

    def _show_out(self, why: NotSignedIn) -> None:
        self._why_shown_out = why
        if self._attending is not None:
            self._attending.cut_off()

    async def _attend(self, line: "Line", call: Call, asked: Asked, receive: Receive) -> None:
        """Do the work, for as long as the client is there and may stay."""
        self._attending = Attending(receive)
        try:
            async with self._attending:
                await self._work(line, call, asked)
        finally:
            line.close()

    async def _asked(self) -> tuple[Asked, ModelRequest]:
        """What the client wants, and what a model is to be asked for it."""
        body = await body_of(self._request)
        document, size = await json_in(body), len(body)
        # Nobody else waits while much is read.
        read = self._surface.read
        asked = await asyncio.to_thread(read, document) if size > LARGE else read(document)
        is_lenient = self._request.headers.get("x-parley-drop-unsupported") == "true"
        request = asked.request.but(
            is_lenient=is_lenient,
            choices=asked.choices,
            beyond=asked.beyond,
            passage=self._passage(document, size, asked),
        )
        return asked, request

    def _passage(self, document: Json, size: int, asked: Asked) -> Passage | None:
        if self._dialect is None:
            return None
        headers = headers_of_dialect(self._request, self._dialect)
        images = sum(len(image.base64) for turn in asked.request.turns for image in turn.all_images)
        passed = document if asked.passable is None else asked.passable
        return Passage(self._dialect, passed, asked.wants_usage, max(0, size - images), headers)

    async def _call(self, caller: Caller, asked: Asked, request: ModelRequest) -> Call:
        # Most keys may use every model, and where a call goes is for the gateway to find.
        if caller.allowed_models:
            route = await self._gateway.routes(caller.user_id, request.model)
            caller.require_model(request.model, *route.full_names)
        return Call(
            caller.user_id,
            request,
            "api",
            caller.api_key_id,
            claim=new_id() if is_wanted(self._request.headers, caller, asked) else "",
            allowed_models=caller.allowed_models,
        )

    def _opened(self, call: Call, gathering: Gathering) -> AbstractAsyncContextManager[Completion]:
        if not call.claim:
            return self._gateway.open(call)
        return recorded(self._gateway, self._request.app.state.recorder, call, gathering)

    async def _work(self, line: "Line", call: Call, asked: Asked) -> None:
        answer = Answer(id=new_id(), model=asked.request.model, created=int(time.time()))
        gathering = Gathering(answer)
        writer = self._surface.writer(asked, answer) if asked.request.streaming else None
        try:
            async with self._opened(call, gathering) as completion:
                if writer is None:
                    passed = await _gathered(completion, gathering)
                else:
                    await _streamed(completion, gathering, line, writer)
        except (ProviderError, ParleyError) as error:
            await line.fail(failure_of(error, line.request_id))
            return
        if writer is not None:
            gathering.finish(completion.receipt)
            await line.end(_last_words(line, writer, answer, completion))
        else:
            whole = (
                self._surface.whole(asked, gathering.finish(completion.receipt)) if passed is None else passed
            )
            await line.send_whole(whole, completion)


def _last_words(line: "Line", writer: Writer, answer: Answer, completion: Completion) -> bytes:
    """Nothing where the provider has said them."""
    if not line.has_passed:
        return writer.end(answer)
    if completion.cut_off and isinstance(writer, EndsForOthers):
        return writer.end_of_passed(answer, line.passed_last)
    return b""


def headers_of_dialect(request: Request, dialect: Dialect) -> dict[str, str]:
    """The client's headers that belong to its language. Raises BadRequest."""
    given = request.headers
    headers = {name: given[name] for name in HEADERS_OF_DIALECTS.get(dialect, ()) if name in given}
    for name, value in headers.items():
        if not PASSED_HEADER.fullmatch(value):
            raise BadRequest(f"The header {name} is not a list of names.", name)
    return headers


async def _gathered(completion: Completion, gathering: Gathering) -> bytes | None:
    """The answer in the provider's own words, when it was passed on; else it is gathered."""
    async for event in completion:
        if type(event) is Passed:
            gathering.passed.append(event.data)
        else:
            gathering.take(event)
    return b"".join(gathering.passed) if gathering.passed else None


async def _streamed(completion: Completion, gathering: Gathering, line: "Line", writer: Writer) -> None:
    line.expect(completion, writer)
    async for event in completion:
        if type(event) is Passed:
            line.has_passed, line.passed_last = True, event.data
            if gathering.keeps_passed:
                gathering.passed.append(event.data)
            # It says nothing; but should the answer break off, it knows what was said.
            writer.feed(event)
            await line.send(event.data)
            continue
        gathering.take(event)
        # Beside a provider's own words there are none of ours.
        if not line.has_passed and (said := writer.feed(event)):
            await line.send(said)


class Line:
    """The way back to one client."""

    def __init__(self, send: Send, surface: Surface, request_id: str) -> None:
        self._send = send
        self._surface = surface
        self.request_id = request_id
        self._completion: Completion | None = None
        self._writer: Writer | None = None
        self._has_begun = False
        self._has_spoken = False
        self._sign: asyncio.TimerHandle | None = None
        self._signing: asyncio.Task[None] | None = None
        self.has_passed = False
        self.passed_last = b""
        self.is_over = False

    def expect(self, completion: Completion, writer: Writer) -> None:
        """A stream will follow; while its first word is long in coming, the client gets signs of life."""
        self._completion, self._writer = completion, writer
        if self._surface.media_type == "text/event-stream":
            self._sign = asyncio.get_running_loop().call_later(SECONDS_OF_SILENCE, self._give_sign)

    async def send(self, data: bytes) -> None:
        """A piece of a stream."""
        if not self._has_spoken:
            self._has_spoken = True
            self.close()
            await self._begin()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes) -> None:
        self.close()
        await self._begin()
        self.is_over = True
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def send_whole(self, answer: Json | bytes, completion: Completion) -> None:
        await self._send_json(200, answer, self._headers(completion))

    async def fail(self, failure: Failure) -> None:
        """As an error's own status while nothing was sent; else as an error in the stream."""
        self.close()
        if self._has_begun and self._writer is not None:
            await self.end(self._writer.failed(failure))
            return
        headers = {**headers_of(failure), "request-id": self.request_id}
        await self._send_json(failure.status, self._surface.error(failure), headers)

    def close(self) -> None:
        """No more signs of life."""
        if self._sign is not None:
            self._sign.cancel()
        if self._signing is not None:
            self._signing.cancel()
            # Cancelled, it keeps its exception, and with it this line.
            self._signing = None

    async def _begin(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        headers = self._headers(self._completion) | {
            "content-type": self._surface.media_type,
            "cache-control": "no-cache, no-transform",
            "x-accel-buffering": "no",
        }
        await self._start(200, headers)

    async def _send_json(self, status: int, document: Json | bytes, headers: Mapping[str, str]) -> None:
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        self.is_over = True
        shape = {"content-type": "application/json", "content-length": str(len(body))}
        await self._start(status, {**headers, **shape})
        await self._send({"type": "http.response.body", "body": body})

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        # Models may be called by signs that no header can hold.
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    def _headers(self, completion: Completion | None) -> dict[str, str]:
        told = {"request-id": self.request_id}
        if completion is not None:
            told["x-parley-model"] = completion.model
            told["x-parley-attempts"] = str(completion.attempts)
        return told

    def _give_sign(self) -> None:
        self._signing = asyncio.create_task(self._signs())

    async def _signs(self) -> None:
        await self._begin()
        while True:
            await self._send({"type": "http.response.body", "body": SIGN_OF_LIFE, "more_body": True})
            await asyncio.sleep(SECONDS_OF_SILENCE)


def _request_id(scope: AsgiScope) -> str:
    return str(scope.get("parley.request_id", ""))
