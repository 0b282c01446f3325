"""What was said in a response of OpenAI's: read from its own events, or from the whole of it."""

from collections.abc import Iterable, Iterator

from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ThoughtEnded,
    ToolCallDelta,
)
from app.providers.untrusted import Json, objects_at, text_at

TEXTS = ("response.output_text.delta", "response.refusal.delta")
THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
ITEM_DONE = "response.output_item.done"
ITEMS = "parley.items"
"""Our own: the items of a whole response."""


class ResponseSaid:
    """Text and thoughts come piece by piece; of items that end, calls of tools count and seals of thoughts."""

    has_finished = True
    is_over = True

    def __init__(self) -> None:
        self._calls = 0

    def read(self, message: Json) -> Iterable[Event]:
        kind = text_at(message, "type")
        if kind in TEXTS:
            yield TextDelta(text_at(message, "delta"))
        elif kind in THOUGHTS:
            yield ReasoningDelta(text_at(message, "delta"))
        elif kind == ITEM_DONE:
            yield from self._ended(objects_at({"items": [message.get("item")]}, "items"))
        elif kind == ITEMS:
            items = objects_at(message, "items")
            for item in items:
                yield from _words_of(item)
                yield from self._ended([item])

    def end(self) -> Iterable[Event]:
        yield Finished(FinishReason.TOOL_CALLS if self._calls else FinishReason.STOP)

    def _ended(self, items: list[Json]) -> Iterator[Event]:
        for item in items:
            if text_at(item, "type") == "function_call":
                call_id, name, arguments = (text_at(item, key) for key in ("call_id", "name", "arguments"))
                yield ToolCallDelta(self._calls, id=call_id, name=name, arguments=arguments)
                self._calls += 1
            elif text_at(item, "type") == "reasoning":
                yield ThoughtEnded()


def whole_as_said(response: Json) -> Json:
    return {"type": ITEMS, "items": objects_at(response, "output")}


def _words_of(item: Json) -> Iterator[Event]:
    for part in objects_at(item, "content"):
        if text := text_at(part, "text") or text_at(part, "refusal"):
            yield ReasoningDelta(text) if text_at(item, "type") == "reasoning" else TextDelta(text)
    for part in objects_at(item, "summary"):
        yield ReasoningDelta(text_at(part, "text"))
