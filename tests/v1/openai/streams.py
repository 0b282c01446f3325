"""What a writer sends, taken apart as a client would."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.providers.events import Event, Usage
from app.v1.surface import Answer, Asked, Failure, Surface

Json = dict[str, Any]

ANSWER = Answer(id="0abc", model="echo/echo", created=1_795_000_000, usage=Usage(12, 5, 3, 1, 2))
FAILURE = Failure(502, "broken_off", "The answer broke off before it was whole. Try again.", is_final=False)


@dataclass(frozen=True)
class Received:
    """One server-sent event."""

    name: str
    data: str

    @property
    def document(self) -> Json:
        document: Json = orjson.loads(self.data)
        return document


def events_in(stream: bytes) -> list[Received]:
    assert stream.endswith(b"\n\n"), "a stream ends with a whole event"
    return [_event(block) for block in stream.decode().removesuffix("\n\n").split("\n\n")]


def documents_in(stream: bytes) -> list[Json]:
    return [event.document for event in events_in(stream) if event.data != "[DONE]"]


def said(surface: Surface, asked: Asked, events: Iterable[Event], **ending: Any) -> bytes:
    """The whole stream of an answer made of `events`; `ending` is what the engine knows of it at last."""
    writer = surface.writer(asked, ANSWER)
    pieces = [writer.feed(event) for event in events]
    return b"".join([*pieces, writer.end(replace(ANSWER, **ending))])


def _event(block: str) -> Received:
    lines = dict(line.split(": ", 1) for line in block.split("\n"))
    return Received(lines.get("event", ""), lines["data"])
