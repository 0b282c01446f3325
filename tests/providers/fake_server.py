"""A provider that plays what it is told: transcripts of answers, one after another, with faults on demand.

A transcript is a file like an HTTP response: status line, headers, an empty line, the body.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
from aiohttp import web

TRANSCRIPTS = Path(__file__).parent / "transcripts"
SECONDS_TO_BREATHE = 0.05


@dataclass(frozen=True)
class Answer:
    """One response. `stalls_at`, `breaks_at`: the byte of the body at which it falls silent, or hangs up.

    `pauses_at`: the byte at which it takes a breath, so that what follows arrives by itself.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunk_size: int | None = None
    stalls_at: int | None = None
    breaks_at: int | None = None
    pauses_at: int | None = None

    def but(self, **changes: object) -> "Answer":
        return replace(self, **changes)

    def without_end(self, marker: bytes) -> "Answer":
        """The same answer, whose body ends cleanly before the last `marker`."""
        return replace(self, body=self.body[: self.body.rindex(marker)])


def transcript(name: str) -> Answer:
    """The answer in `transcripts/{name}.http`: `openai/answer`."""
    head, _, body = (TRANSCRIPTS / f"{name}.http").read_bytes().partition(b"\n\n")
    status, *headers = head.decode().splitlines()
    pairs = (line.split(": ", 1) for line in headers)
    return Answer(int(status.split()[1]), {key.lower(): value for key, value in pairs}, body)


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        return orjson.loads(self.body)


class FakeServer:
    """`answers` are played in order, the last of them for ever; `at` has answers for single paths."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.at: dict[str, list[Answer]] = {}
        self.received: list[Received] = []
        self.hung_up = asyncio.Event()
        """Set when a client left while it was being answered."""
        self.written = 0
        """Bytes of bodies that were taken off its hands."""
        self.url = ""

    def plays(self, *answers: Answer | str) -> None:
        self.answers = [transcript(answer) if isinstance(answer, str) else answer for answer in answers]

    def plays_at(self, path: str, *answers: Answer | str) -> None:
        self.at[path] = [transcript(answer) if isinstance(answer, str) else answer for answer in answers]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(
            Received(request.method, request.path, dict(request.query), headers, await request.read())
        )
        queue = self.at.get(request.path, self.answers)
        if not queue:
            return web.Response(status=404, text="404 page not found")
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        try:
            return await self._play(request, answer)
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise

    async def _play(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        if answer.breaks_at == 0:
            _hang_up(request)
            return response
        if answer.stalls_at != 0:
            await response.prepare(request)
        end = answer.breaks_at or answer.stalls_at or len(answer.body)
        size = answer.chunk_size or answer.pauses_at or max(1, len(answer.body))
        for start in range(0, 0 if answer.stalls_at == 0 else end, size):
            piece = answer.body[start : min(end, start + size)]
            await response.write(piece)
            self.written += len(piece)
            await asyncio.sleep(SECONDS_TO_BREATHE if answer.pauses_at else 0)
        if answer.breaks_at is not None:
            await asyncio.sleep(0.02)
            _hang_up(request)
        elif answer.stalls_at is not None:
            await asyncio.sleep(30)
        return response


def _hang_up(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


@asynccontextmanager
async def running() -> AsyncIterator[FakeServer]:
    """A fake server on a free port of this machine."""
    server = FakeServer()
    app = web.Application(client_max_size=50_000_000)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
