"""Chat completions and completions that pass through: a client's document for a server of its language."""

import re
from collections.abc import Iterable
from dataclasses import replace

from app.providers.base import Request
from app.providers.events import Event
from app.providers.openai_answers import ChunkReader, report_in, whole_as_chunk
from app.providers.passage import Dialect, Passage
from app.providers.passing import Language
from app.providers.untrusted import Json, objects_at, text_at

LIMITS = ("max_completion_tokens", "max_tokens")
LIMIT_BEFORE_THOSE = "n_predict"
"""What llama.cpp's server goes by rather than by any other limit."""


def _is_kept(message: Json, passage: Passage) -> bool:
    """Usage comes in a chunk without choices, which only those expect who asked for it."""
    return passage.wants_usage or bool(objects_at(message, "choices")) or report_in(message) is None


CHAT = Language(
    path="/chat/completions",
    concerns=re.compile(rb'"(?:usage|x_groq)"\s*:\s*\{|"error"\s*:\s*[{"]|"finish_reason"\s*:\s*"|\[DONE\]'),
    new_reader=ChunkReader,
    is_kept=_is_kept,
    whole_as_message=whole_as_chunk,
    ending=b"data: [DONE]\n\n",
)
COMPLETIONS = replace(CHAT, path="/completions")
"""A prompt that is continued, which is something else than a chat in which it is the question."""
LANGUAGES = {Dialect.OPENAI_CHAT: CHAT, Dialect.OPENAI_COMPLETIONS: COMPLETIONS}


class EveryChoice(ChunkReader):
    """Several answers at once: whole when each has ended, or when the stream says so; some servers give only one."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self._left = wanted

    @property
    def has_finished(self) -> bool:
        return super().has_finished and self._left <= 0

    def read(self, message: Json) -> Iterable[Event]:
        ended = [choice for choice in objects_at(message, "choices") if text_at(choice, "finish_reason")]
        self._left -= len(ended) if message else self._left
        yield from super().read(message)


def language_for(request: Request, passage: Passage) -> Language:
    language = LANGUAGES[passage.dialect]
    if request.choices == 1:
        return language
    return replace(language, new_reader=lambda: EveryChoice(request.choices))


def passed_document(request: Request, passage: Passage, limit: str) -> Json:
    """What is sent: the model by its own name, figures asked for, and no more tokens than are paid for.

    `limit` is the vendor's name for these, unless the client used others.
    """
    document = {**passage.known(), "model": request.model}
    if request.streaming:
        options = document.get("stream_options")
        document["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    if request.max_output_tokens is not None:
        if not _is_within(document.get(LIMIT_BEFORE_THOSE), request.max_output_tokens):
            document.pop(LIMIT_BEFORE_THOSE, None)
        # All that the client used: which of several counts is for the server to say.
        said = [name for name in LIMITS if document.get(name) is not None]
        document |= dict.fromkeys(said or [limit], request.max_output_tokens)
    return document


def _is_within(wanted: object, most: int) -> bool:
    # Below zero it means without end.
    return isinstance(wanted, int) and 0 <= wanted <= most
