"""Answers that are passed on in the provider's own words, and only looked at for what they used.

What streams is cut between messages and sent on unread, unless it holds something that concerns us: figures, an
error, the end; or half a character, at which clients would fail. An answer that did not come whole never gets the
ending that a whole one has.
"""

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import orjson

from app.providers.errors import ProviderError
from app.providers.events import Event, Finished, UsageReport
from app.providers.exchange import Reader, Repair, repaired, whole_repaired
from app.providers.passage import Passage, Passed
from app.providers.untrusted import Json, parsed, readable
from app.providers.wire import Decoder, Pace, Wire, whole_with_retries, with_retries
from app.providers.wire.decoding import LARGEST_MESSAGE, MessageTooLarge
from app.values import value


@dataclass(frozen=True)
class Framing:
    """How the messages of a stream are told apart without reading them.

    `end` stands behind each, `count` says how many a piece holds, `data_in` gives the JSON of one, if it has any.
    """

    end: bytes
    count: Callable[[bytes], int]
    data_in: Callable[[bytes], bytes]


def _data(event: bytes) -> bytes:
    """What stands after `data:` in an event."""
    return b"\n".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))


EVENTS = Framing(b"\n\n", count=lambda piece: piece.count(b"data:"), data_in=_data)
"""Server-sent events."""
LINES = Framing(b"\n", count=lambda piece: piece.count(b"\n"), data_in=bytes.strip)
"""NDJSON: every line is a message."""


ANYTHING = re.compile(b"")
TOLD_BESIDE = (UsageReport, Finished)
"""What is told beside an answer in the provider's own words."""
THE_END: Json = {}
"""Of a stream that says so, or of a document: to a reader, a message that says nothing."""


@dataclass(frozen=True)
class Language:
    """What is to be known of a vendor's messages without understanding them.

    `concerns` finds in a piece what must be read; `new_reader` makes what turns the messages that were
    found into events. `is_kept` says whether the client gets such a message, `ending` is what a whole stream ends with.
    What comes before `begins` is found is kept back: until then another provider may still be asked instead.
    `as_asked` puts the name that the client asked by where the vendor's clients expect it.
    """

    path: str
    concerns: re.Pattern[bytes]
    new_reader: Callable[[], Reader]
    is_kept: Callable[[Json, Passage], bool] = lambda _message, _passage: True
    whole_as_message: Callable[[Json], Json] = lambda answer: answer
    ending: bytes = b""
    framing: Framing = EVENTS
    begins: re.Pattern[bytes] = ANYTHING
    as_asked: Callable[[bytes], bytes] = lambda piece: piece


class WholeMessages:
    """Pieces of a stream that end where a message ends, and with it what stands behind each."""

    def __init__(self, framing: Framing) -> None:
        self._end = framing.end
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        piece = self._rest + chunk if self._rest else chunk
        # Looked for in the whole: a line end may be cut in two.
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n")
        if piece.endswith(self._end):
            self._rest = b""
            return [piece]
        whole, end, self._rest = piece.rpartition(self._end)
        if len(self._rest) > LARGEST_MESSAGE:
            raise MessageTooLarge
        return [whole + end] if end else []

    def end(self) -> list[bytes]:
        return [self._rest + self._end] if self._rest.strip() else []


@value
class Passing:
    """One way to a provider for documents that are in its own language already."""

    wire: Wire
    language: Language
    repair: Repair = lambda _document, _error: None

    def events(
        self, document: Json, passage: Passage, *, streaming: bool, retries: int
    ) -> AsyncGenerator[Event, None]:
        """The answer to `document`. Raises a ProviderError."""
        if not streaming:
            return whole_with_retries(lambda: whole_repaired(document, self._whole, self.repair), retries)

        def ask(document: Json) -> AsyncGenerator[Event, None]:
            return self._streamed(document, passage)

        return with_retries(lambda: repaired(document, ask, self.repair), retries)

    async def _whole(self, document: Json) -> Sequence[Event]:
        reader = self.language.new_reader()
        answer = await self.wire.post(self.language.path, document)
        events = list(reader.read(self.language.whole_as_message(answer)))
        if not reader.has_finished:
            events += reader.read(THE_END)
        if not reader.has_finished:
            raise self.wire.not_understood()
        told = [event for event in (*events, *reader.end()) if isinstance(event, TOLD_BESIDE)]
        return [Passed(self.language.as_asked(orjson.dumps(answer))), *told]

    async def _streamed(self, document: Json, passage: Passage) -> AsyncGenerator[Event, None]:
        pace = Pace()
        answer = _Answer(self.wire, self.language, passage, pace)
        decoder: Decoder = WholeMessages(self.language.framing)
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
        self._framing = language.framing
        self._passage = passage
        self._pace = pace
        self._reader = language.new_reader()
        self._unsaid, self._unsaid_pieces = b"", 0

    @property
    def has_finished(self) -> bool:
        return self._reader.has_finished

    def read(self, piece: bytes) -> Iterable[Event]:
        piece = readable(piece)
        pieces = self._framing.count(piece)
        # Where not every message ends like an object, something is in it that no client would understand.
        if pieces != piece.count(b"}" + self._framing.end) or self._language.concerns.search(piece):
            yield from self._read_closely(piece)
        elif pieces:
            yield from self._words(piece, pieces)

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
            for one in piece.split(self._framing.end):
                self._read_one(one, kept, reports)
        except ProviderError:
            # What was said stays said; before the first word an error is a status of its own.
            yield from self._said(kept if self._pace.has_begun else [], reports)
            raise
        self._pace.is_over = self._pace.is_over or self._reader.is_over
        yield from self._said(kept, reports)

    def _said(self, kept: list[bytes], reports: list[UsageReport]) -> Iterable[Event]:
        """The words first: whoever sends them on learns by them that none are to be made up."""
        if kept:
            end = self._framing.end
            yield from self._words(end.join(kept) + end, len(kept))
        yield from reports

    def _words(self, piece: bytes, pieces: int) -> Iterable[Event]:
        if not self._pace.has_begun:
            piece, pieces = self._unsaid + piece, self._unsaid_pieces + pieces
            begins = self.has_finished or self._language.begins.search(piece)
            if not begins and len(piece) < LARGEST_MESSAGE:
                self._unsaid, self._unsaid_pieces = piece, pieces
                return
            self._pace.has_begun = True
        yield Passed(self._language.as_asked(piece), pieces, has_end=self.has_finished)

    def _read_one(self, one: bytes, kept: list[bytes], reports: list[UsageReport]) -> None:
        """Add the event to what the client gets, and what it tells of use to the reports."""
        is_sound = one.endswith(b"}") and not self._language.concerns.search(one)
        data = b"" if is_sound else self._framing.data_in(one)
        if data == b"[DONE]":
            reports.extend(_reports_in(self._reader.read(THE_END)))
            self._pace.is_over = True
        elif data:
            message = self._understood(data)
            reports.extend(_reports_in(self._reader.read(message)))
            if self._language.is_kept(message, self._passage):
                kept.append(one)
        elif one:
            kept.append(one)

    def _understood(self, data: bytes) -> Json:
        message = parsed(data)
        if message is None:
            raise self._wire.broken_off() if self._pace.has_begun else self._wire.not_understood()
        if error := self._wire.complaint(message):
            raise error
        return message


def _reports_in(events: Iterable[Event]) -> Iterator[UsageReport]:
    return (event for event in events if isinstance(event, UsageReport))
