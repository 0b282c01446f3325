"""What programs send and get: JSON objects, whatever the headers call them."""

import asyncio

import orjson
from fastapi import Request
from starlette.responses import Response

from app.v1 import large_documents
from app.v1.surface import BadRequest, Json

DEEPEST = 100
LARGE = 1_000_000
"""Bytes from which on a body is read in a thread, so that nobody else waits."""


async def json_of(request: Request) -> Json:
    """The body. Raises BadRequest when it is no JSON object."""
    return await json_in(await body_of(request))


async def body_of(request: Request) -> bytes:
    """All of it, once: what was read is not kept. Raises BadRequest when it does not come whole, or TooLarge."""
    # Not `Request.body`, which runs a generator for what mostly comes in one piece.
    pieces: list[bytes] = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The request broke off.")
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


async def json_in(body: bytes) -> Json:
    """The object that the body is. Raises BadRequest."""
    try:
        read = await asyncio.to_thread(_read_large, body) if len(body) > LARGE else _read(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The body is not JSON. Send a JSON object.") from error
    if not isinstance(read, dict):
        raise BadRequest("The body is not a JSON object. Send one.")
    return read


def _read_large(body: bytes) -> object:
    read = large_documents.loads(body)
    _refuse_deep(read)
    return read


def _read(body: bytes) -> object:
    read: object = orjson.loads(body)
    if body.count(b"[") + body.count(b"{") > DEEPEST:
        _refuse_deep(read)
    return read


def _refuse_deep(read: object) -> None:
    """What is nested deeper than anybody writes could be read, but not said again."""
    level: list[object] = [read]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)  # type: ignore[attr-defined]
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {DEEPEST} levels.")


class JsonAnswer(Response):
    """An answer that is JSON; documents are put together by hand and need no checking."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Bytes are JSON already."""
        return content if isinstance(content, bytes) else orjson.dumps(content)
