"""Answers that are passed on in the provider's own words, and only looked at for what they used.

What streams is cut between events and sent on unread, unless it holds something that concerns us: figures, an
error, the end. An answer that did not come whole never gets the ending that a whole one has.
"""

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

import orjson

from app.providers.base import Event, Finished, UsageReport
from app.providers.errors import ProviderError
from app.providers.exchange import Reader
from app.providers.passage import Passage, Passed
from app.providers.untrusted import Json, parsed
from app.providers.wire import Decoder, Pace, Wire, with_retries
from app.providers.wire.decoding import LARGEST_MESSAGE, MessageTooLarge


@dataclass(frozen=True)
class Language:
    """What is to be known of a vendor's events without understanding them.

    `concerns` finds in a piece what must be read; `new_reader` makes what turns the messages that were
    found into events. `is_kept` says whether the client gets such a message, `ending` is what a whole stream ends with.
    """

    path: str
    concerns: re.Pattern[bytes]
    new_reader: Callable[[], Reader]
    is_kept: Callable[[Json, Passage], bool] = lambda _message, _passage: True
    whole_as_message: Callable[[Json], Json] = lambda answer: answer
    ending: bytes = b""


class WholeEvents:
    """Pieces of a stream of server-sent events that end where an event ends."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        piece = self._rest + chunk if self._rest else chunk
        # Looked for in the whole: a line end may be cut in two.
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n")
        if piece.endswith(b"\n\n"):
            self._rest = b""
            return [piece]
        end = piece.rfind(b"\n\n") + 2
        self._rest = piece[end:] if end > 1 else piece
        if len(self._rest) > LARGEST_MESSAGE:
            raise MessageTooLarge
        return [piece[:end]] if end > 1 else []

    def end(self) -> list[bytes]:
        return [self._rest + b"\n\n"] if self._rest.strip() else []


@dataclass(frozen=True)
class Passing:
    """One way to a provider for documents that are in its own language already."""

    wire: Wire
    language: Language

    def events(
        self, document: Json, passage: Passage, *, streaming: bool, retries: int
    ) -> AsyncGenerator[Event, None]:
        """The answer to `document`. Raises a ProviderError."""
        ask = self._streamed if streaming else self._whole
        return with_retries(lambda: ask(document, passage), retries)

    async def _whole(self, document: Json, passage: Passage) -> AsyncGenerator[Event, None]:
        reader = self.language.new_reader()
        answer = await self.wire.post(self.language.path, document)
        events = list(reader.read(self.language.whole_as_message(answer)))
        if not reader.has_finished:
            raise self.wire.not_understood()
        yield Passed(orjson.dumps(answer))
        for event in (*events, *reader.end()):
            if isinstance(event, UsageReport | Finished):
                yield event

    async def _streamed(self, document: Json, passage: Passage) -> AsyncGenerator[Event, None]:
        pace = Pace()
        answer = _Answer(self.wire, self.language, passage, pace)
        decoder: Decoder = WholeEvents()
        try:
            async with aclosing(self.wire.stream(self.language.path, document, decoder, pace)) as pieces:
                async for piece in pieces:
                    for event in answer.read(piece):
                        yield event
        except ProviderError:
            # The answer is whole: a connection lost while waiting for its cost takes nothing away.
            if not answer.has_finished:
                raise
        if not answer.has_finished:
            raise self.wire.broken_off() if pace.has_begun else self.wire.not_understood()
        for event in answer.end():
            yield event


class _Answer:
    """One streamed answer on its way."""

    def __init__(self, wire: Wire, language: Language, passage: Passage, pace: Pace) -> None:
        self._wire = wire
        self._language = language
        self._passage = passage
        self._pace = pace
        self._reader = language.new_reader()

    @property
    def has_finished(self) -> bool:
        return self._reader.has_finished

    def read(self, piece: bytes) -> Iterable[Event]:
        pieces = piece.count(b"data:")
        # Where not every event ends like an object, something is in it that no client would understand.
        if pieces != piece.count(b"}\n\n") or self._language.concerns.search(piece):
            yield from self._read_closely(piece)
        elif pieces:
            self._pace.has_begun = True
            yield Passed(piece, pieces)

    def end(self) -> Iterable[Event]:
        if self._language.ending:
            yield Passed(self._language.ending, 0)
        for event in self._reader.end():
            if isinstance(event, Finished):
                yield event

    def _read_closely(self, piece: bytes) -> Iterable[Event]:
        kept: list[bytes] = []
        reports: list[UsageReport] = []
        try:
            for one in piece.split(b"\n\n"):
                self._read_one(one, kept, reports)
        except ProviderError:
            # What was said stays said; before the first word an error is a status of its own.
            if self._pace.has_begun:
                yield from _said(kept, reports)
            raise
        self._pace.is_over = self._pace.is_over or self._reader.is_over
        self._pace.has_begun = self._pace.has_begun or bool(kept)
        yield from _said(kept, reports)

    def _read_one(self, one: bytes, kept: list[bytes], reports: list[UsageReport]) -> None:
        """Add the event to what the client gets, and what it tells of use to the reports."""
        data = data_of(one) if self._is_to_be_read(one) else b""
        if data == b"[DONE]":
            self._pace.is_over = True
        elif data:
            message = self._understood(data)
            reports.extend(event for event in self._reader.read(message) if isinstance(event, UsageReport))
            if self._language.is_kept(message, self._passage):
                kept.append(one)
        elif one:
            kept.append(one)

    def _is_to_be_read(self, one: bytes) -> bool:
        is_sound = one.endswith(b"}") or b"data:" not in one
        return not is_sound or self._language.concerns.search(one) is not None

    def _understood(self, data: bytes) -> Json:
        message = parsed(data)
        if message is None:
            raise self._wire.broken_off() if self._pace.has_begun else self._wire.not_understood()
        if error := self._wire.complaint(message):
            raise error
        return message


def _said(kept: list[bytes], reports: list[UsageReport]) -> Iterable[Event]:
    """The words first: whoever sends them on learns by them that none are to be made up."""
    if kept:
        yield Passed(b"\n\n".join(kept) + b"\n\n", len(kept))
    yield from reports


def data_of(event: bytes) -> bytes:
    """What stands after `data:` in an event."""
    return b"\n".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))
