"""Streams, read from aiohttp directly: a deadline for the first token, then one for each silence."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import TracebackType

import aiohttp

from app.providers.base import Timeouts
from app.providers.wire import documents
from app.providers.wire.decoding import Decoder
from app.providers.wire.documents import DocumentTooLarge
from app.providers.wire.pool import connections

LARGEST_REFUSAL = 64_000
STREAM_TYPES = {"text/event-stream", "application/x-ndjson"}
DRAINING_SECONDS = 0.1
"""How long the end of the response may lag behind the end of the answer, for the connection to be used again."""


class FirstTokenLate(Exception):
    """Nothing of the answer came within `first_token` seconds."""


class StreamEmpty(Exception):
    """The stream ended without a single message: the server failed as it began."""


class NotAStream(Exception):
    """What came held no message, and did not even claim to be a stream."""


class TooQuiet(Exception):
    """After it had begun, the answer paused for longer than `idle` seconds."""


@dataclass
class Pace:
    """How far an answer is, as its reader understands it; the reader of the stream keeps it up to date.

    Many providers open the stream at once and then think: silence counts as idle only from the first token.
    """

    has_begun: bool = False
    is_over: bool = False


class InTime:
    """`async with InTime(deadline): …` raises FirstTokenLate when the block is not through by then, on the event
    loop's clock.
    """

    def __init__(self, deadline: float) -> None:
        self._timeout = asyncio.timeout_at(deadline)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise FirstTokenLate from late


async def open_stream(
    url: str, headers: Mapping[str, str], content: bytes, timeouts: Timeouts
) -> aiohttp.ClientResponse:
    """The response, once its headers are there. Raises an aiohttp error."""
    return await connections().session.post(
        url,
        data=aiohttp.BytesPayload(content),
        headers=headers,
        allow_redirects=False,
        timeout=_patience(timeouts.connect),
    )


@cache
def _patience(connect: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect)


async def messages(
    response: aiohttp.ClientResponse, decoder: Decoder, pace: Pace, timeouts: Timeouts, deadline: float
) -> AsyncGenerator[bytes, None]:
    """Every message of the body, at least one.

    Raises FirstTokenLate, TooQuiet, StreamEmpty, NotAStream, MessageTooLarge or an aiohttp error.
    """
    is_empty = True
    while chunk := await _next_chunk(response, pace, timeouts, deadline):
        for message in decoder.feed(chunk):
            is_empty = False
            yield message
        if pace.is_over:
            await _drain(response)
            return
    for message in decoder.end():
        is_empty = False
        yield message
    if is_empty:
        raise StreamEmpty if response.content_type in STREAM_TYPES else NotAStream


async def _next_chunk(
    response: aiohttp.ClientResponse, pace: Pace, timeouts: Timeouts, deadline: float
) -> bytes:
    """Whatever bytes are there next; empty at the end."""
    if pace.has_begun:
        deadline = asyncio.get_running_loop().time() + timeouts.idle
    try:
        async with asyncio.timeout_at(deadline):
            return await response.content.readany()
    except TimeoutError as error:
        raise (TooQuiet if pace.has_begun else FirstTokenLate) from error


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Wait a little for the end of the response: a connection that was read to its end can be used again."""
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(DRAINING_SECONDS):
            await response.content.readany()


async def whole_body(response: aiohttp.ClientResponse) -> bytes:
    """All of an answer that is no stream. Raises DocumentTooLarge or an aiohttp error."""
    body = bytearray()
    while chunk := await response.content.readany():
        body += chunk
        if len(body) > documents.LARGEST_DOCUMENT:
            raise DocumentTooLarge
    return bytes(body)


async def refusal_body(response: aiohttp.ClientResponse, timeouts: Timeouts) -> bytes:
    """The beginning of an answer that is no success, as far as it comes: its status says most."""
    body = bytearray()
    with suppress(TimeoutError, aiohttp.ClientPayloadError):
        async with asyncio.timeout(timeouts.idle):
            while len(body) < LARGEST_REFUSAL and (chunk := await response.content.readany()):
                body += chunk
    return bytes(body)
