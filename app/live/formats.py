"""How programs are told what happens: as server-sent events, or as lines of JSON (NDJSON)."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import orjson

from app.live.sse import KEEP_ALIVE, event

EVENTS_TYPE = "text/event-stream"
LINES_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


@dataclass(frozen=True)
class Happening:
    """Something to tell. `position`: how far what grows has come, so that one can go on from there."""

    name: str
    data: object
    position: int | None = None


class Format(Protocol):
    media_type: str
    keep_alive: bytes
    """What says nothing, and shows whatever stands between that the line is alive."""

    def write(self, happening: Happening) -> bytes: ...


class Events:
    """The position is the event's id, which browsers send back as `Last-Event-ID`."""

    media_type = EVENTS_TYPE
    keep_alive = KEEP_ALIVE

    def write(self, happening: Happening) -> bytes:
        position = "" if happening.position is None else str(happening.position)
        return event(orjson.dumps(happening.data).decode(), name=happening.name, event_id=position)


class PageEvents(Events):
    """For our own pages: scripts see no comments, and are to notice when a line died without a word."""

    keep_alive = event("", name="alive")


class Lines:
    """`{"event": …, "data": …, "position": …}`, one in a line."""

    media_type = LINES_TYPES[0]
    keep_alive = b'{"event":"keep-alive"}\n'

    def write(self, happening: Happening) -> bytes:
        return orjson.dumps(as_object(happening)) + b"\n"


EVENTS, PAGE_EVENTS, LINES = Events(), PageEvents(), Lines()


def as_object(happening: Happening) -> Mapping[str, object]:
    """A happening as one JSON object: a line of a stream, or a frame of a socket."""
    position = {} if happening.position is None else {"position": happening.position}
    return {"event": happening.name, "data": happening.data, **position}


def format_for(accept: str) -> Format | None:
    """What an `Accept` header asks for; None: one JSON document, when all is said."""
    if EVENTS_TYPE in accept:
        return EVENTS
    return LINES if any(kind in accept for kind in LINES_TYPES) else None


async def written(happenings: AsyncGenerator[Happening, None], style: Format) -> AsyncGenerator[bytes, None]:
    async with aclosing(happenings):
        async for happening in happenings:
            yield style.write(happening)
