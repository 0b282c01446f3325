"""An answer in OpenAI's words: chunks of a chat completion, brought to events.

Reads the dialects of many servers: reasoning under three names, as parts of a list or inline; usage in a
chunk of its own, in the last one or in Groq's corner; tool calls with and without ids and indexes.
"""

from collections.abc import Iterable

from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.providers.service_tiers import special_service
from app.providers.thinking import ThinkingSplitter
from app.providers.untrusted import Json, count_at, if_credible, object_at, objects_at, text_at, tokens_at

REASONS = {
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def whole_as_chunk(answer: Json) -> Json:
    """An answer that was not streamed, as if it had come in a single chunk."""
    choices = [{**choice, "delta": object_at(choice, "message")} for choice in objects_at(answer, "choices")]
    return {**answer, "choices": choices}


class ChunkReader:
    """One answer; `read` takes its chunks in order."""

    is_over = False
    """The stream ends with `[DONE]`, which is no chunk: usage may follow the last choice."""

    def __init__(self) -> None:
        self._reason: FinishReason | None = None
        self._stop_sequence: str | None = None
        self._text = ThinkingSplitter()
        self._calls = _ToolCalls()

    @property
    def has_finished(self) -> bool:
        return self._reason is not None

    def read(self, message: Json) -> Iterable[Event]:
        for choice in objects_at(message, "choices")[:1]:
            yield from self._delta(object_at(choice, "delta"))
            if reason := text_at(choice, "finish_reason"):
                self._reason = REASONS.get(reason, FinishReason.STOP)
                # vLLM says which of the stop sequences it was.
                self._stop_sequence = text_at(choice, "stop_reason") or None
        if report := report_in(message):
            yield report

    def end(self) -> Iterable[Event]:
        yield from self._text.end()
        reason = self._reason or FinishReason.STOP
        # Some servers say "stop" after a tool call.
        has_called = self._calls.seen and reason is FinishReason.STOP
        yield Finished(FinishReason.TOOL_CALLS if has_called else reason, self._stop_sequence)

    def _delta(self, delta: Json) -> Iterable[Event]:
        if reasoning := _reasoning(delta):
            yield ReasoningDelta(reasoning)
        for part in objects_at(delta, "content"):
            yield from self._part(part)
        yield from self._text.feed(text_at(delta, "content"))
        if refusal := text_at(delta, "refusal"):
            yield TextDelta(refusal)
        for call in objects_at(delta, "tool_calls"):
            yield self._calls.delta(call)

    def _part(self, part: Json) -> Iterable[Event]:
        """Mistral's reasoning models answer in parts: thoughts, which hold parts themselves, and text."""
        thoughts = "".join(text_at(inner, "text") for inner in objects_at(part, "thinking"))
        if thoughts:
            yield ReasoningDelta(thoughts)
        yield from self._text.feed(text_at(part, "text"))


def report_in(chunk: Json) -> UsageReport | None:
    """What a chunk says of its cost: in `usage`, or at Groq in `x_groq.usage`."""
    told = object_at(chunk, "usage") or object_at(object_at(chunk, "x_groq"), "usage")
    if told.get("prompt_tokens") is None and told.get("completion_tokens") is None:
        return None
    return UsageReport(_usage(told, special_service(text_at(chunk, "service_tier"))))


@if_credible
def _usage(told: Json, service: str) -> Usage | None:
    prompt, completion = tokens_at(told, "prompt_tokens"), tokens_at(told, "completion_tokens")
    if prompt is None and completion is None:
        return None
    prompt_details = object_at(told, "prompt_tokens_details")
    # Some vendors leave reasoning out of `completion_tokens`; the total always includes it.
    beyond_prompt = (tokens_at(told, "total_tokens") or 0) - (prompt or 0)
    return Usage(
        input=prompt or 0,
        output=max(completion or 0, beyond_prompt),
        cache_read=tokens_at(prompt_details, "cached_tokens")
        or tokens_at(told, "prompt_cache_hit_tokens")
        or 0,
        cache_write=tokens_at(prompt_details, "cache_write_tokens") or 0,
        reasoning=tokens_at(object_at(told, "completion_tokens_details"), "reasoning_tokens") or 0,
        service=service,
    )


def _reasoning(delta: Json) -> str:
    """The thoughts in a delta; servers that use two names for them say the same under both."""
    return (
        text_at(delta, "reasoning_content")
        or text_at(delta, "reasoning")
        or "".join(
            text_at(detail, "text") or text_at(detail, "summary")
            for detail in objects_at(delta, "reasoning_details")
            # A signed thought comes once more, whole, after its pieces: to be given back, not to be read.
            if not text_at(detail, "signature")
        )
    )


class _ToolCalls:
    """Numbers the calls of an answer: by `index`; where that is missing, a new id begins a new call."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        self._last = -1

    @property
    def seen(self) -> bool:
        return bool(self._ids)

    def delta(self, call: Json) -> ToolCallDelta:
        function, call_id = object_at(call, "function"), text_at(call, "id")
        index = self._index(call, call_id)
        is_first = index not in self._ids
        if is_first:
            self._ids[index] = call_id or f"call_{index}"
        self._last = index
        return ToolCallDelta(
            index=index,
            id=self._ids[index] if is_first else None,
            name=text_at(function, "name") if is_first else None,
            arguments=text_at(function, "arguments"),
        )

    def _index(self, call: Json, call_id: str) -> int:
        if (index := count_at(call, "index")) is not None:
            return index
        is_same_call = self._last >= 0 and call_id in {"", self._ids[self._last]}
        return self._last if is_same_call else self._last + 1
