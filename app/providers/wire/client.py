"""A wire to one provider: JSON out, a document or a stream of messages back, every failure one of ours."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import cached_property
from urllib.parse import urlsplit

import aiohttp
import orjson

from app.providers.base import Endpoint
from app.providers.errors import KeyRejected, ProviderError, TimedOut
from app.providers.untrusted import Json, parsed
from app.providers.wire import judging, unreachable
from app.providers.wire.complaints import Complaint, complaint_in, refusal
from app.providers.wire.decoding import Decoder, MessageTooLarge
from app.providers.wire.documents import Document, DocumentTooLarge
from app.providers.wire.judging import not_the_protocol
from app.providers.wire.quoting import words_of
from app.providers.wire.streams import (
    FirstTokenLate,
    InTime,
    NotAStream,
    Pace,
    StreamEmpty,
    TooQuiet,
    messages,
    open_stream,
    refusal_body,
    whole_body,
)

LOOK_UP_SECONDS = 15.0
"""For lists of models: somebody may be waiting for the answer, and every working provider is far faster."""

LOADING_SECONDS = 900.0
"""For a model to be read from a disk, which may be a slow one."""
FAILURES = (
    FirstTokenLate,
    TooQuiet,
    StreamEmpty,
    MessageTooLarge,
    DocumentTooLarge,
    NotAStream,
    aiohttp.ClientError,
    OSError,
    ValueError,
)
"""What may be raised where a provider is asked; `Wire._told` says each in a sentence."""


class Wire:
    """`label` is what a person calls the provider; `headers` go out with every request.

    `base_url` is what every path is added to, which may differ from what the endpoint was entered as.
    """

    def __init__(self, endpoint: Endpoint, label: str, base_url: str, headers: Mapping[str, str]) -> None:
        self.label = endpoint.label or label
        self._base_url = base_url.rstrip("/")
        self._key = endpoint.key
        self._timeouts = endpoint.timeouts
        self._headers = {"Content-Type": "application/json", **headers}
        # Compression would hold tokens back until a block is full.
        self._headers_of_streams = self._headers | {"Accept-Encoding": "identity"}

    async def get(self, path: str) -> Json:
        """The document at `path`. Raises a ProviderError."""
        return await self._document("GET", path, None, self._look_up_patience())

    async def look_up(self, path: str, body: Json) -> Json:
        """Like `get`, for details that want to be asked for with a body."""
        return await self._document("POST", path, body, self._look_up_patience())

    async def post(self, path: str, body: Json) -> Json:
        """An answer that comes whole: it may take as long as a stream's first token and one pause."""
        deadline = asyncio.get_running_loop().time() + self._timeouts.first_token + self._timeouts.idle
        try:
            async with InTime(deadline):
                response = await self._open(path, body)
                try:
                    document = Document(response.status, response.headers, await whole_body(response))
                finally:
                    # Nothing to an answer that was read to its end: its connection is free already.
                    response.close()
        except FAILURES as failure:
            raise self._told(failure, Pace()) from failure
        return self._read(document, body)

    async def load(self, path: str, body: Json) -> Json:
        """Like `post`, for what takes minutes."""
        return await self._document("POST", path, body, LOADING_SECONDS)

    async def stream(
        self, path: str, body: Json, decoder: Decoder, pace: Pace
    ) -> AsyncGenerator[bytes, None]:
        """The messages of the answer, as they come. Raises a ProviderError, also when it stops half-way."""
        deadline = asyncio.get_running_loop().time() + self._timeouts.first_token
        try:
            async with InTime(deadline):
                response = await self._open(path, body)
            try:
                await self._refuse_unless_success(response, body)
                async with aclosing(messages(response, decoder, pace, self._timeouts, deadline)) as received:
                    async for message in received:
                        yield message
            finally:
                # Closed, not released: whoever leaves early must end the provider's work, and its bill.
                response.close()
        except FAILURES as failure:
            raise self._told(failure, pace) from failure

    def complaint(self, message: Json, body: Json | None = None) -> ProviderError | None:
        """The error that a message amounts to, if it is one."""
        found = complaint_in(message)
        return self._error_for(found, body) if found else None

    def broken_off(self) -> ProviderError:
        return unreachable.broken_off(self.label)

    def not_understood(self) -> ProviderError:
        return not_the_protocol(self.label)

    def _look_up_patience(self) -> float:
        return min(LOOK_UP_SECONDS, self._timeouts.first_token)

    async def _document(self, method: str, path: str, body: Json | None, seconds: float) -> Json:
        from app.providers.wire.looking_up import fetch

        content = orjson.dumps(body) if body is not None else None
        try:
            patience = asyncio.timeout(seconds)
            try:
                async with patience:
                    document = await fetch(method, self._root + path, self._headers, content, self._timeouts)
            except TimeoutError as error:
                if patience.expired():
                    raise FirstTokenLate from error
                raise
        except FAILURES as failure:
            raise self._told(failure, Pace()) from failure
        return self._read(document, body)

    def _read(self, document: Document, body: Json | None) -> Json:
        if document.status != 200:
            raise self._error_for(refusal(document.status, document.headers, document.body), body)
        answer = parsed(document.body)
        if answer is None:
            raise not_the_protocol(self.label)
        if error := self.complaint(answer, body):
            raise error
        return answer

    async def _refuse_unless_success(self, response: aiohttp.ClientResponse, body: Json) -> None:
        if response.status == 200 and response.content_type != "text/html":
            return
        said = await refusal_body(response, self._timeouts)
        raise self._error_for(refusal(response.status, response.headers, said), body)

    def _error_for(self, complaint: Complaint, body: Json | None) -> ProviderError:
        return judging.error_for(complaint, self.label, key=self._key, prompt=words_of(body))

    async def _open(self, path: str, body: Json) -> aiohttp.ClientResponse:
        return await open_stream(
            self._root + path, self._headers_of_streams, orjson.dumps(body), self._timeouts
        )

    @cached_property
    def _root(self) -> str:
        """What every path is added to. Raises a ProviderError where nobody can be asked there."""
        if not _is_web_address(self._base_url):
            raise unreachable.not_an_address(self.label)
        if not _can_be_sent(self._key or ""):
            raise KeyRejected(
                f"The key for {self.label} holds characters that no key has.",
                "An administrator can enter it again under Administration → Connections.",
            )
        return self._base_url

    def _told(self, failure: Exception, pace: Pace) -> ProviderError:
        """What HTTP clients raise, as a sentence."""
        match failure:
            case FirstTokenLate() | TooQuiet():
                return self._too_slow(failure)
            case StreamEmpty():
                return self.broken_off()
            case MessageTooLarge() | DocumentTooLarge() | NotAStream():
                return not_the_protocol(self.label)
            case _ if pace.has_begun:
                return self.broken_off()
            case _:
                return unreachable.error_for(failure, self.label, self._host())

    def _too_slow(self, error: FirstTokenLate | TooQuiet) -> TimedOut:
        if isinstance(error, TooQuiet):
            return TimedOut(
                f"{self.label} fell silent in the middle of the answer for {self._timeouts.idle:g} seconds.",
                "Try again.",
            )
        return TimedOut(
            f"{self.label} did not begin to answer in time.",
            "Try again; a local model may still be loading. The limit is PROVIDER_FIRST_TOKEN_TIMEOUT.",
        )

    def _host(self) -> str:
        return urlsplit(self._base_url).netloc.rpartition("@")[2]


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _can_be_sent(key: str) -> bool:
    return key.isascii() and (key.isprintable() or not key)
