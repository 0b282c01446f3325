"""What programs send and get: JSON objects, whatever the headers call them."""

import asyncio

import orjson
from fastapi import Request
from starlette.responses import Response

from app.v1.surface import BadRequest, Json

LARGE = 1_000_000
"""Bytes from which on a body is read in a thread, so that nobody else waits."""


async def json_of(request: Request) -> Json:
    """The body. Raises BadRequest when it is no JSON object."""
    body = await request.body()
    try:
        read = await asyncio.to_thread(orjson.loads, body) if len(body) > LARGE else orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The body is not JSON. Send a JSON object.") from error
    if not isinstance(read, dict):
        raise BadRequest("The body is not a JSON object. Send one.")
    return read


class JsonAnswer(Response):
    """An answer that is JSON; documents are put together by hand and need no checking."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Bytes are JSON already."""
        return content if isinstance(content, bytes) else orjson.dumps(content)
