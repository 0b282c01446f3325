"""An answer in Anthropic's words: blocks that open, grow and close, brought to events."""

from collections.abc import Iterable

import orjson

from app.providers.anthropic_formats import ANSWER_TOOL
from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ThoughtEnded,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.providers.service_tiers import special_service
from app.providers.untrusted import (
    Json,
    believed,
    count_at,
    if_credible,
    object_at,
    objects_at,
    text_at,
    tokens_at,
)

REASONS = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}


class MessageReader:
    """One answer: a stream's events in order, or the whole message at once.

    With `answers_by_tool`, the arguments of the tool that was made for it are the answer's text.
    """

    def __init__(self, *, answers_by_tool: bool = False) -> None:
        self.is_over = False
        self._answers_by_tool = answers_by_tool
        self._reason: FinishReason | None = None
        self._stop_sequence: str | None = None
        self._usage: Json = {}
        self._calls: dict[int, int] = {}
        """The number of each tool call, by the index of its block among all blocks."""
        self._answers: set[int] = set()
        """The blocks whose arguments are the answer."""
        self._signatures: dict[int, str] = {}
        """What has come of the signature of each thought, by the index of its block."""

    @property
    def has_finished(self) -> bool:
        return self._reason is not None

    def read(self, message: Json) -> Iterable[Event]:
        match text_at(message, "type"):
            case "content_block_delta":
                yield from self._delta(count_at(message, "index") or 0, object_at(message, "delta"))
            case "content_block_start":
                yield from self._open(count_at(message, "index") or 0, object_at(message, "content_block"))
            case "content_block_stop":
                yield from self._close(count_at(message, "index") or 0)
            case "message_start":
                yield from self._count(object_at(message, "message"))
            case "message_delta":
                yield from self._count(message)
                self._note_reason(object_at(message, "delta"))
            case "message_stop":
                self.is_over = True
            case "message":
                yield from self._whole(message)

    def end(self) -> Iterable[Event]:
        reason = self._reason or FinishReason.STOP
        has_only_answered = bool(self._answers) and not self._calls and reason is FinishReason.TOOL_CALLS
        yield Finished(FinishReason.STOP if has_only_answered else reason, self._stop_sequence)

    def _whole(self, message: Json) -> Iterable[Event]:
        for index, block in enumerate(objects_at(message, "content")):
            yield from self._open(index, block)
            if text_at(block, "type") == "tool_use":
                yield from self._arguments(index, orjson.dumps(object_at(block, "input")).decode())
            yield from self._close(index)
        yield from self._count(message)
        self._note_reason(message)

    def _open(self, index: int, block: Json) -> Iterable[Event]:
        match text_at(block, "type"):
            case "tool_use":
                yield from self._open_call(index, block)
            case "redacted_thinking":
                yield ThoughtEnded(redacted=text_at(block, "data"))
            case "thinking":
                self._signatures[index] = text_at(block, "signature")
                if thought := text_at(block, "thinking"):
                    yield ReasoningDelta(thought)
            case _:
                if text := text_at(block, "text"):
                    yield TextDelta(text)

    def _open_call(self, index: int, block: Json) -> Iterable[Event]:
        if self._answers_by_tool and text_at(block, "name") == ANSWER_TOOL:
            self._answers.add(index)
        else:
            number = self._calls.setdefault(index, len(self._calls))
            yield ToolCallDelta(number, id=text_at(block, "id"), name=text_at(block, "name"))

    def _delta(self, index: int, delta: Json) -> Iterable[Event]:
        if text := text_at(delta, "text"):
            yield TextDelta(text)
        elif thought := text_at(delta, "thinking"):
            yield ReasoningDelta(thought)
        elif arguments := text_at(delta, "partial_json"):
            yield from self._arguments(index, arguments)
        elif index in self._signatures:
            self._signatures[index] += text_at(delta, "signature")

    def _arguments(self, index: int, arguments: str) -> Iterable[Event]:
        if index in self._answers:
            yield TextDelta(arguments)
        elif index in self._calls:
            yield ToolCallDelta(self._calls[index], arguments=arguments)

    def _close(self, index: int) -> Iterable[Event]:
        if index in self._signatures:
            yield ThoughtEnded(signature=self._signatures.pop(index))

    def _note_reason(self, source: Json) -> None:
        if reason := text_at(source, "stop_reason"):
            self._reason = REASONS.get(reason, FinishReason.STOP)
            self._stop_sequence = text_at(source, "stop_sequence") or None

    def _count(self, message: Json) -> Iterable[Event]:
        """The figures so far. They are cumulative, and a later event may repeat only some of them."""
        told = {key: value for key, value in object_at(message, "usage").items() if value is not None}
        if told:
            self._usage |= told
            yield UsageReport(_usage(self._usage))


@if_credible
def _usage(told: Json) -> Usage:
    """Anthropic counts what came from a cache beside the input, we count it in. So is what a summary of the context
    took, which is billed, but stands only in the list of iterations."""
    summaries = [each for each in objects_at(told, "iterations") if text_at(each, "type") == "compaction"]

    def total(name: str) -> int:
        return believed(sum(tokens_at(each, name) or 0 for each in (told, *summaries)))

    read, written = total("cache_read_input_tokens"), total("cache_creation_input_tokens")
    return Usage(
        input=believed(total("input_tokens") + read + written),
        output=total("output_tokens"),
        cache_read=read,
        cache_write=written,
        reasoning=tokens_at(object_at(told, "output_tokens_details"), "thinking_tokens") or 0,
        cache_write_hour=min(
            written, tokens_at(object_at(told, "cache_creation"), "ephemeral_1h_input_tokens") or 0
        ),
        service=special_service(text_at(told, "service_tier")),
    )
