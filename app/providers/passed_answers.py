"""Reads answers that were passed on unread, for whoever wants to know afterwards what was said."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.providers.anthropic_passing import MESSAGES
from app.providers.events import Event
from app.providers.exchange import Reader
from app.providers.ollama_answers import LineReader
from app.providers.openai_answers import ChunkReader, whole_as_chunk
from app.providers.openai_said import ResponseSaid, whole_as_said
from app.providers.passage import Dialect
from app.providers.passing import EVENTS, LINES, Framing
from app.providers.untrusted import Json, count_at, objects_at, parsed, text_at

AsMessage = Callable[[Json], Json]


def _as_it_is(message: Json) -> Json:
    return message


@dataclass(frozen=True)
class _Reading:
    """How one dialect is read: `of_stream` and `of_whole` bring what was said to what the reader knows."""

    new_reader: Callable[[], Reader]
    framing: Framing = EVENTS
    of_stream: AsMessage = _as_it_is
    of_whole: AsMessage = _as_it_is


def _continued(message: Json) -> Json:
    """A prompt that was continued, as a chunk of a chat."""
    choices = [{**choice, "delta": {"content": text_at(choice, "text")}} for choice in _first_choice(message)]
    return {**message, "choices": choices}


def _of_first_choice(message: Json) -> Json:
    return {**message, "choices": _first_choice(message)} if "choices" in message else message


def _generated(message: Json) -> Json:
    said = {"content": text_at(message, "response"), "thinking": text_at(message, "thinking")}
    return {**message, "message": said}


def _first_choice(message: Json) -> list[Json]:
    return [choice for choice in objects_at(message, "choices") if not count_at(choice, "index")]


def _ollama() -> LineReader:
    # What was cut was said before; here is only asked what was answered.
    return LineReader(sys.maxsize, "")


READINGS: Mapping[Dialect, _Reading] = {
    Dialect.OPENAI_CHAT: _Reading(
        ChunkReader,
        of_stream=_of_first_choice,
        of_whole=lambda whole: _of_first_choice(whole_as_chunk(whole)),
    ),
    Dialect.OPENAI_COMPLETIONS: _Reading(ChunkReader, of_stream=_continued, of_whole=_continued),
    Dialect.OPENAI_RESPONSES: _Reading(ResponseSaid, of_whole=whole_as_said),
    Dialect.ANTHROPIC_MESSAGES: _Reading(MESSAGES.new_reader, of_whole=MESSAGES.whole_as_message),
    Dialect.OLLAMA_CHAT: _Reading(_ollama, LINES),
    Dialect.OLLAMA_GENERATION: _Reading(_ollama, LINES, of_stream=_generated, of_whole=_generated),
}


def events_in(passed: bytes, dialect: Dialect, *, streaming: bool) -> Iterable[Event]:
    """What was said in an answer, or in the part of it that came; of several answers at once in the first."""
    how = READINGS[dialect]
    reader = how.new_reader()
    pieces = map(how.framing.data_in, passed.split(how.framing.end)) if streaming else [passed]
    for message in map(parsed, pieces):
        if message is not None:
            yield from reader.read((how.of_stream if streaming else how.of_whole)(message))
    yield from reader.end()
