"""Ollama's two ways to ask: a conversation, and a single prompt."""

from collections.abc import Callable

from app.v1.ollama.answers import Shape, alone, in_conversation, whole
from app.v1.ollama.reading import chat_in, generation_in
from app.v1.ollama.writing import LineWriter
from app.v1.surface import Answer, Asked, Failure, Json


class Lines:
    """A Surface whose streams are lines of JSON."""

    media_type = "application/x-ndjson"

    def __init__(self, read: Callable[[Json], Asked], shape: Shape) -> None:
        self._read = read
        self._shape = shape

    def read(self, body: Json) -> Asked:
        return self._read(body)

    def whole(self, asked: Asked, answer: Answer) -> Json:
        return whole(answer, self._shape)

    def writer(self, asked: Asked, answer: Answer) -> LineWriter:
        return LineWriter(answer, self._shape)

    def error(self, failure: Failure) -> Json:
        return envelope(failure)


def envelope(failure: Failure) -> Json:
    """Every error of Ollama's is one sentence."""
    return {"error": failure.message}


CHAT = Lines(chat_in, in_conversation)
"""`POST /api/chat`."""
GENERATION = Lines(generation_in, alone)
"""`POST /api/generate`."""
