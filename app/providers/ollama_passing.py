"""Conversations and prompts that pass through: a client's document for Ollama, which speaks its language."""

import re

import orjson

from app.providers.base import Request
from app.providers.ollama_answers import LineReader
from app.providers.ollama_window import tokens_in, window_for
from app.providers.passage import Dialect, Passage
from app.providers.passing import LINES, Language
from app.providers.untrusted import Json, list_at, text_at

PATHS = {Dialect.OLLAMA_CHAT: "/api/chat", Dialect.OLLAMA_GENERATION: "/api/generate"}
CONCERNS = re.compile(rb'"done"\s*:\s*true|"error"\s*:')
NAME = re.compile(rb'^\{"model":"[^"\\]*"', re.MULTILINE)
"""At the start of a line, where Ollama repeats the name that it was asked by."""


def language_for(request: Request, passage: Passage, label: str) -> Language:
    """How Ollama answers `request`; what it read in vain of a prompt that it cut is an error, as everywhere."""
    window = _window(request, passage)
    name = b'{"model":' + orjson.dumps(passage.document.get("model"))
    return Language(
        path=PATHS[passage.dialect],
        concerns=CONCERNS,
        new_reader=lambda: LineReader(window, label),
        framing=LINES,
        as_asked=lambda piece: NAME.sub(lambda _: name, piece),
    )


def passed_document(request: Request, passage: Passage) -> Json:
    """What is sent: the model by its own name, a window from which nothing is cut, no more than is paid for."""
    options = passage.known_in("options")
    options.pop("num_predict", None)
    if request.max_output_tokens is not None:
        options["num_predict"] = request.max_output_tokens
    return {
        **passage.known(),
        "model": request.model,
        "stream": request.streaming,
        "options": {"num_ctx": _window(request, passage), **options},
        # An error is better than an answer to half of the conversation.
        "truncate": False,
        "shift": False,
    }


def _window(request: Request, passage: Passage) -> int:
    """Also for what stands beside the turns: marks of the model's own, and tokens of an earlier answer."""
    document = passage.document
    texts = sum(tokens_in(text_at(document, name)) for name in ("suffix", "template"))
    return window_for(request, beside=texts + len(list_at(document, "context")))
