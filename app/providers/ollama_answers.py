"""An answer in Ollama's words: one line of JSON after another, the last of them marked `done`."""

from collections.abc import Iterable

import orjson

from app.providers.errors import ContextTooLong
from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.providers.thinking import ThinkingSplitter
from app.providers.untrusted import Json, if_credible, object_at, objects_at, text_at, tokens_at


class LineReader:
    """One answer. `window` is the `num_ctx` it was asked for with; a prompt that fills it has been cut."""

    def __init__(self, window: int, label: str) -> None:
        self._window = window
        self._label = label
        self._reason: FinishReason | None = None
        self._text = ThinkingSplitter()
        self._calls = 0

    @property
    def has_finished(self) -> bool:
        return self._reason is not None

    @property
    def is_over(self) -> bool:
        return self.has_finished

    def read(self, message: Json) -> Iterable[Event]:
        said = object_at(message, "message")
        if thought := text_at(said, "thinking"):
            yield ReasoningDelta(thought)
        yield from self._text.feed(text_at(said, "content"))
        for call in objects_at(said, "tool_calls"):
            yield self._call(call)
        if message.get("done") is True:
            yield UsageReport(self._usage(message))
            self._reason = self._reason_in(message)

    def end(self) -> Iterable[Event]:
        yield from self._text.end()
        yield Finished(self._reason or FinishReason.STOP)

    def _call(self, call: Json) -> ToolCallDelta:
        """Calls come whole, older versions send them without ids."""
        index, function = self._calls, object_at(call, "function")
        self._calls += 1
        return ToolCallDelta(
            index,
            id=text_at(call, "id") or f"call_{index}",
            name=text_at(function, "name"),
            arguments=orjson.dumps(object_at(function, "arguments")).decode(),
        )

    def _usage(self, message: Json) -> Usage | None:
        usage = _usage_in(message)
        if usage is not None and usage.input >= self._window:
            raise ContextTooLong(
                f"{self._label} cut the conversation to {self._window:,} tokens and answered only a part of it.",
                "Start a new conversation, or choose a model with a larger context window.",
            )
        return usage

    def _reason_in(self, message: Json) -> FinishReason:
        if text_at(message, "done_reason") == "length":
            return FinishReason.LENGTH
        return FinishReason.TOOL_CALLS if self._calls else FinishReason.STOP


@if_credible
def _usage_in(message: Json) -> Usage:
    # Both counts are left out when they are 0.
    return Usage(
        input=tokens_at(message, "prompt_eval_count") or 0, output=tokens_at(message, "eval_count") or 0
    )
