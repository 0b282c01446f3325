"""A provider of the benchmark's own that costs next to nothing: OpenAI's protocol, answered at once.

The model `instant` answers with a document, or with a stream of CHUNKS pieces, each written on its own. The model
`endless` streams until whoever asked is gone; `GET /open` says how many such streams there are.
"""

import asyncio
import re
import sys
from collections.abc import Iterator

import orjson
import uvloop

INSTANT, ENDLESS = "instant", "endless"
CHUNKS = 50
WORD = "lamp "
SECONDS_BETWEEN_CHUNKS = 0.05
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
STREAMS = re.compile(rb'"stream": ?true')
IS_ENDLESS = re.compile(rb'"model": ?"endless"')
WANTS_USAGE = re.compile(rb'"include_usage": ?true')
LAST = b"0\r\n\r\n"


def answer_with(body: bytes, media_type: str = "application/json") -> bytes:
    return _head(media_type, f"content-length: {len(body)}") + body


def _head(media_type: str, framing: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\n{framing}\r\n\r\n".encode()


def _event(data: bytes) -> bytes:
    """One event of a stream, as one chunk of HTTP."""
    event = b"data: " + data + b"\n\n"
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event(orjson.dumps(ABOUT | {"object": "chat.completion.chunk", "choices": [choice]}))


ABOUT = {"id": "chatcmpl-1", "created": 1_800_000_000, "model": INSTANT}
USAGE = {"prompt_tokens": 10, "completion_tokens": CHUNKS, "total_tokens": CHUNKS + 10}
MESSAGE = {"role": "assistant", "content": WORD * CHUNKS}
WHOLE = answer_with(
    orjson.dumps(
        ABOUT
        | {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
            "usage": USAGE,
        }
    )
)
STREAM_HEAD = _head("text/event-stream", "transfer-encoding: chunked")
PIECE = _chunk({"content": WORD})
FINISH = _chunk({}, "stop")
FIGURES = _event(orjson.dumps(ABOUT | {"object": "chat.completion.chunk", "choices": [], "usage": USAGE}))
END = _event(b"[DONE]") + LAST
MODELS = answer_with(
    orjson.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in (INSTANT, ENDLESS)]})
)


class Answering(asyncio.Protocol):
    """One connection, kept alive; requests come one after the other."""

    endless: set["Answering"] = set()  # noqa: RUF012  (of the whole process)

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._wanted = 0

    def connection_lost(self, exc: Exception | None) -> None:
        self.endless.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) < self._wanted:
            return
        end_of_head = self._received.find(b"\r\n\r\n") + 4
        if end_of_head < 4:
            return
        length = LENGTH.search(self._received, 0, end_of_head)
        self._wanted = end_of_head + (int(length[1]) if length else 0)
        if len(self._received) >= self._wanted:
            request, self._received = bytes(self._received), bytearray()
            self._wanted = 0
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"GET /open"):
            self._transport.write(answer_with(b"%d" % len(self.endless), "text/plain"))
        elif request.startswith(b"GET"):
            self._transport.write(MODELS)
        elif not STREAMS.search(request):
            self._transport.write(WHOLE)
        elif IS_ENDLESS.search(request):
            self._transport.write(STREAM_HEAD)
            self.endless.add(self)
            self._drip()
        else:
            self._write_each(_stream(with_usage=bool(WANTS_USAGE.search(request))))

    def _write_each(self, pieces: Iterator[bytes]) -> None:
        piece = next(pieces, None)
        if piece is not None and not self._transport.is_closing():
            self._transport.write(piece)
            # What is written in one turn of the loop would leave as one packet.
            self._loop.call_soon(self._write_each, pieces)

    def _drip(self) -> None:
        if self in self.endless:
            self._transport.write(PIECE)
            self._loop.call_later(SECONDS_BETWEEN_CHUNKS, self._drip)


def _stream(*, with_usage: bool) -> Iterator[bytes]:
    yield STREAM_HEAD + PIECE
    for _ in range(CHUNKS - 1):
        yield PIECE
    yield FINISH
    if with_usage:
        yield FIGURES
    yield END


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
