"""Programs that ask an OpenAI-compatible server, as cheaply as Python can: bytes made once, a connection kept alive."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from bench.instant import CHUNKS, LAST, LENGTH, WORD

COUNTED = WORD.strip().encode()


@dataclass(frozen=True)
class Server:
    """Somebody who answers programs: an address, the key it wants, and what it calls the upstream's models."""

    url: str
    key: str
    prefix: str = ""

    def question(self, model: str, *, streaming: bool, content: object = "Which lamps are lit?") -> bytes:
        """The request, whole. `content` is a message's, a list of messages included."""
        messages = [{"role": "user", "content": content}]
        return self.request({"model": self.prefix + model, "messages": messages, "stream": streaming})

    def request(self, document: dict[str, object]) -> bytes:
        body = orjson.dumps(document)
        return self._head("POST /v1/chat/completions", f"content-length: {len(body)}") + body

    def get(self, path: str) -> bytes:
        return self._head(f"GET {path}", "content-length: 0")

    def _head(self, line: str, length: str) -> bytes:
        lines = (
            f"{line} HTTP/1.1",
            f"host: {urlsplit(self.url).netloc}",
            f"authorization: Bearer {self.key}",
            "content-type: application/json",
            length,
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


@dataclass(frozen=True)
class Answered:
    """When it was asked, when the first word came and when the last (nanoseconds), and what came."""

    asked: int
    first_word: int
    ended: int
    received: bytes

    @property
    def total_ms(self) -> float:
        return (self.ended - self.asked) / 1e6

    @property
    def first_word_ms(self) -> float:
        return (self.first_word - self.asked) / 1e6


class Asker(asyncio.Protocol):
    """One connection; one question at a time."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting: asyncio.Future[Answered] | None = None
        self._hearing: asyncio.Future[None] | None = None

    async def ask(self, request: bytes) -> Answered:
        """Ask, and wait for the whole answer. Raises RuntimeError when it is not what the upstream said."""
        self._waiting = self._begin(request)
        answered = await self._waiting
        _check(answered.received)
        return answered

    async def ask_for_a_word(self, request: bytes) -> None:
        """Ask, and wait only until the answer has begun."""
        self._begin(request)
        self._hearing = asyncio.get_running_loop().create_future()
        await self._hearing

    def go_away(self) -> None:
        """As a program does that is killed."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        if not self._first_word and COUNTED in data:
            self._first_word = time.monotonic_ns()
            if self._hearing is not None and not self._hearing.done():
                self._hearing.set_result(None)
        if self._wanted is None:
            self._wanted = _length_of(b"".join(self._received))
        self._came += len(data)
        self._tail = (self._tail + data)[-len(LAST) :]
        if self._came == self._wanted or (self._wanted == CHUNKED and self._tail == LAST):
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        for waiting in (self._waiting, self._hearing):
            if waiting is not None and not waiting.done():
                waiting.set_exception(RuntimeError("The server hung up before its answer was whole."))

    def _begin(self, request: bytes) -> "asyncio.Future[Answered]":
        self._received: list[bytes] = []
        self._came, self._tail, self._first_word = 0, b"", 0
        self._wanted: int | None = None
        self._asked = time.monotonic_ns()
        self._transport.write(request)
        return asyncio.get_running_loop().create_future()

    def _end(self) -> None:
        now = time.monotonic_ns()
        if self._waiting is not None and not self._waiting.done():
            received = b"".join(self._received)
            self._waiting.set_result(Answered(self._asked, self._first_word or now, now, received))


CHUNKED = -1


@asynccontextmanager
async def connected(server: Server, count: int = 1) -> AsyncIterator[list[Asker]]:
    askers = [await connect(server) for _ in range(count)]
    try:
        yield askers
    finally:
        for asker in askers:
            asker.go_away()


async def connect(server: Server) -> Asker:
    address = urlsplit(server.url)
    _, asker = await asyncio.get_running_loop().create_connection(Asker, address.hostname, address.port)
    return asker


def _length_of(received: bytes) -> int | None:
    """Of the whole answer with its head; CHUNKED when only its end will tell, None while the head is not whole."""
    end_of_head = received.find(b"\r\n\r\n") + 4
    if end_of_head < 4:
        return None
    length = LENGTH.search(received, 0, end_of_head)
    return end_of_head + int(length[1]) if length else CHUNKED


def _check(received: bytes) -> None:
    is_stream = b"text/event-stream" in received
    is_whole = received.count(COUNTED) == CHUNKS and is_stream == (b"data: [DONE]" in received)
    if not received.startswith(b"HTTP/1.1 200") or not is_whole:
        raise RuntimeError(f"Not the upstream's answer: {received[:1500].decode(errors='replace')}")
