"""Streamed answers in Ollama's words: one line of JSON after another, the last of them marked `done`."""

import time

import orjson

from app.providers.events import Event, ReasoningDelta, TextDelta
from app.v1.ollama.answers import Shape, figures, opening
from app.v1.surface import Answer, Failure, Json

TEXT = "\0"
"""Stands in a line for the text to come; no model has such a name."""


class LineWriter:
    """One answer. Runs for every token: what all lines have in common is put together once.

    Tools are called in the last line but one: Ollama's clients know no call that is not whole.
    """

    def __init__(self, answer: Answer, shape: Shape) -> None:
        self._opening = opening(answer)
        self._shape = shape
        self._started = time.perf_counter()
        self._first_token_ms: int | None = None
        self._before_text, self._after_text = self._around(shape(TEXT))
        self._before_thought, self._after_thought = self._around(shape("", TEXT))

    def feed(self, event: Event) -> bytes:
        if self._first_token_ms is None:
            self._first_token_ms = round((time.perf_counter() - self._started) * 1000)
        if type(event) is TextDelta:
            return self._before_text + orjson.dumps(event.text) + self._after_text
        if type(event) is ReasoningDelta:
            return self._before_thought + orjson.dumps(event.text) + self._after_thought
        return b""

    def end(self, answer: Answer) -> bytes:
        called = self._shape("", tool_calls=answer.tool_calls) | {"done": False}
        ending = self._shape("") | figures(answer, self._first_token_ms or 0)
        return (self._line(called) if answer.tool_calls else b"") + self._line(ending)

    def end_of_passed(self, answer: Answer, last: bytes) -> bytes:
        return self.end(answer)

    def failed(self, failure: Failure) -> bytes:
        return orjson.dumps({"error": failure.message}) + b"\n"

    def _line(self, document: Json) -> bytes:
        return orjson.dumps(self._opening | document) + b"\n"

    def _around(self, document: Json) -> tuple[bytes, bytes]:
        """A line's two halves, on either side of the text's JSON."""
        before, _, after = self._line(document | {"done": False}).partition(orjson.dumps(TEXT))
        return before, after
