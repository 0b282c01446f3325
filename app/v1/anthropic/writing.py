"""A streamed answer in Anthropic's words: blocks that open, grow and close one after another."""

import re

import orjson

from app.providers.base import Thought
from app.providers.events import (
    Event,
    ReasoningDelta,
    TextDelta,
    ThoughtEnded,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.v1.anthropic.answers import (
    opening,
    stop_reason,
    text_block,
    thought_block,
    tool_use_block,
    usage_of,
)
from app.v1.anthropic.failures import envelope
from app.v1.surface import Answer, Failure, Json

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
END = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
AFTER_DELTA = b"}}\n\n"
BLOCK = re.compile(rb'"type"\s*:\s*"content_block_(?:start|delta)"\s*,\s*"index"\s*:\s*(\d+)')
"""The number of a block, in an event that opens it or adds to it."""
NO_BLOCK = ""
TEXT = "text"
THINKING = "thinking"


class MessageWriter:
    """One answer. Runs for every token: what a block's deltas have in common is put together once."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._has_begun = False
        self._open = NO_BLOCK
        """The type of the block that is growing."""
        self._count = 0
        """How many blocks have been opened."""
        self._before_delta = b""
        self._before_arguments: dict[int, bytes] = {}
        """By the number of a tool call: what stands before each piece of its arguments."""

    def feed(self, event: Event) -> bytes:
        if not self._has_begun:
            return self._begin(event.usage if isinstance(event, UsageReport) else None) + self._say(event)
        return self._say(event)

    def end(self, answer: Answer) -> bytes:
        ending = {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason(answer), "stop_sequence": answer.stop_sequence},
            "usage": usage_of(answer.usage),
        }
        beginning = b"" if self._has_begun else self._begin(None)
        return beginning + self._close() + _event(ending) + END

    def end_of_passed(self, answer: Answer, last: bytes) -> bytes:
        self._has_begun = True
        growing = next(reversed(list(BLOCK.finditer(last))), None)
        if growing is not None and last.rfind(b"content_block_stop") < growing.start():
            self._open, self._count = TEXT, int(growing[1]) + 1
        return self.end(answer)

    def failed(self, failure: Failure) -> bytes:
        return _event(envelope(failure))

    def _begin(self, usage: Usage | None) -> bytes:
        """The message opens with the input it used, as far as that is known before the answer."""
        self._has_begun = True
        message = opening(self._answer) | {"usage": usage_of(usage or self._answer.usage)}
        return _event({"type": "message_start", "message": message}) + PING

    def _say(self, event: Event) -> bytes:
        match event:
            case TextDelta():
                return self._text(event)
            case ReasoningDelta():
                return self._thinking(event)
            case ThoughtEnded():
                return self._thought_ended(event)
            case ToolCallDelta():
                return self._tool_call(event)
        return b""

    def _text(self, event: TextDelta) -> bytes:
        before = b"" if self._open == TEXT else self._open_block(text_block(""), "text_delta", "text")
        return before + self._before_delta + orjson.dumps(event.text) + AFTER_DELTA

    def _thinking(self, event: ReasoningDelta) -> bytes:
        before = b"" if self._open == THINKING else self._open_thought()
        return before + self._before_delta + orjson.dumps(event.text) + AFTER_DELTA

    def _thought_ended(self, event: ThoughtEnded) -> bytes:
        if event.redacted:
            return self._start(thought_block(Thought(redacted=event.redacted))) + self._close()
        before = b"" if self._open == THINKING else self._open_thought()
        signature = _before_delta(self._count - 1, "signature_delta", "signature")
        return before + signature + orjson.dumps(event.signature) + AFTER_DELTA + self._close()

    def _tool_call(self, event: ToolCallDelta) -> bytes:
        before = b"" if event.index in self._before_arguments else self._open_call(event)
        if not event.arguments:
            return before
        # Looked up by number: a piece that comes after the next call has begun still finds its block.
        return before + self._before_arguments[event.index] + orjson.dumps(event.arguments) + AFTER_DELTA

    def _open_thought(self) -> bytes:
        return self._open_block(thought_block(Thought()), "thinking_delta", "thinking")

    def _open_call(self, event: ToolCallDelta) -> bytes:
        call_id = event.id or f"toolu_{self._answer.id}_{event.index}"
        block = tool_use_block(call_id, event.name or "", {})
        opened = self._open_block(block, "input_json_delta", "partial_json")
        self._before_arguments[event.index] = self._before_delta
        return opened

    def _open_block(self, block: Json, delta: str, key: str) -> bytes:
        """Open a block whose pieces of text come in deltas of type `delta`, under `key`."""
        opened = self._start(block)
        self._before_delta = _before_delta(self._count - 1, delta, key)
        return opened

    def _start(self, block: Json) -> bytes:
        closed = self._close()
        start = {"type": "content_block_start", "index": self._count, "content_block": block}
        self._count += 1
        self._open = str(block["type"])
        return closed + _event(start)

    def _close(self) -> bytes:
        if self._open == NO_BLOCK:
            return b""
        self._open = NO_BLOCK
        return _event({"type": "content_block_stop", "index": self._count - 1})


def _before_delta(index: int, delta: str, key: str) -> bytes:
    """A `content_block_delta` up to the place where its text stands as JSON; AFTER_DELTA follows it."""
    return (
        f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{index},'
        f'"delta":{{"type":"{delta}","{key}":'
    ).encode()


def _event(document: Json) -> bytes:
    return b"event: " + str(document["type"]).encode() + b"\ndata: " + orjson.dumps(document) + b"\n\n"
