"""Reads answers that were passed on unread, for whoever wants to know afterwards what was said."""

from collections.abc import Iterable, Mapping

from app.providers.anthropic_passing import MESSAGES
from app.providers.base import Event
from app.providers.openai_passing import CHAT
from app.providers.passage import Dialect
from app.providers.passing import Language, data_of
from app.providers.untrusted import Json, count_at, objects_at, parsed

LANGUAGES: Mapping[Dialect, Language] = {
    Dialect.OPENAI_CHAT: CHAT,
    Dialect.ANTHROPIC_MESSAGES: MESSAGES,
}


def events_in(passed: bytes, dialect: Dialect, *, streaming: bool) -> Iterable[Event]:
    """What was said in an answer, or in the part of it that came; of several answers at once in the first."""
    language = LANGUAGES[dialect]
    reader = language.new_reader()
    pieces = map(data_of, passed.split(b"\n\n")) if streaming else [passed]
    for message in map(parsed, pieces):
        if message is not None:
            whole = message if streaming else language.whole_as_message(message)
            yield from reader.read(_first_choice(whole))
    yield from reader.end()


def _first_choice(message: Json) -> Json:
    choices = objects_at(message, "choices")
    if not choices:
        return message
    return {**message, "choices": [choice for choice in choices if not count_at(choice, "index")]}
