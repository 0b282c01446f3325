"""A chat completion in pieces. On the hot path: what repeats is said once, ahead of the stream."""

import orjson

from app.providers.base import Thought
from app.providers.events import Event, ReasoningDelta, TextDelta, ThoughtEnded, ToolCallDelta
from app.v1.openai import errors, thoughts
from app.v1.openai.usage import usage_of_chat
from app.v1.surface import Answer, Failure, Json

DONE = b"data: [DONE]\n\n"
END_OF_CHUNK = b'},"finish_reason":null}]}\n\n'
ROLE = {"role": "assistant", "content": ""}


class ChatWriter:
    """`data: {chunk}` for each event, and `data: [DONE]` after a whole answer."""

    def __init__(self, answer: Answer, *, wants_usage: bool, choices: int = 1) -> None:
        self._chunk: Json = {
            "id": f"chatcmpl-{answer.id}",
            "object": "chat.completion.chunk",
            "created": answer.created,
            "model": answer.model,
        }
        self._wants_usage = wants_usage
        self._choices = choices
        start = b"data: " + orjson.dumps(self._chunk)[:-1] + b',"choices":[{"index":0,"delta":{'
        self._delta = start
        self._text = start + b'"content":'
        self._reasoning = start + b'"reasoning_content":'
        self._unsaid = self._chunk_of(ROLE)
        """What goes before the first piece."""
        self._thought: list[str] = []
        self._calls: dict[int, bool] = {}
        """By index: whether the call has arguments yet."""

    def feed(self, event: Event) -> bytes:
        if type(event) is TextDelta:
            said = self._text + orjson.dumps(event.text) + END_OF_CHUNK
        elif type(event) is ReasoningDelta:
            self._thought.append(event.text)
            said = self._reasoning + orjson.dumps(event.text) + END_OF_CHUNK
        elif type(event) is ToolCallDelta:
            said = self._call(event)
        elif type(event) is ThoughtEnded:
            said = self._thought_ended(event)
        else:
            return b""
        if self._unsaid:
            said, self._unsaid = self._unsaid + said, b""
        return said

    def end(self, answer: Answer) -> bytes:
        choice = {"index": 0, "delta": {}, "finish_reason": answer.finish.value}
        last = data_line(self._chunk | {"choices": [choice]})
        usage = data_line(self._chunk | {"choices": [], "usage": usage_of_chat(answer.usage)})
        return b"".join(
            (self._unsaid, self._missing_arguments(), last, usage if self._wants_usage else b"", DONE)
        )

    def end_of_passed(self, answer: Answer, last: bytes) -> bytes:
        self._unsaid = b""
        ends = [
            data_line(self._chunk | {"choices": [{"index": index, "delta": {}, "finish_reason": "length"}]})
            for index in range(1, self._choices)
        ]
        return b"".join(ends) + self.end(answer)

    def failed(self, failure: Failure) -> bytes:
        return data_line(errors.envelope(failure))

    def _call(self, event: ToolCallDelta) -> bytes:
        function: Json = {"arguments": event.arguments}
        call: Json = {"index": event.index, "function": function}
        if event.index not in self._calls:
            call |= {"id": event.id, "type": "function"}
            function["name"] = event.name
        self._calls[event.index] = bool(event.arguments) or self._calls.get(event.index, False)
        return self._chunk_of({"tool_calls": [call]})

    def _missing_arguments(self) -> bytes:
        """Clients parse the arguments of every call, also where there are none."""
        empty = [index for index, has_arguments in self._calls.items() if not has_arguments]
        return b"".join(self._call(ToolCallDelta(index, arguments="{}")) for index in empty)

    def _thought_ended(self, event: ThoughtEnded) -> bytes:
        thought = Thought("".join(self._thought), event.signature, event.redacted)
        self._thought = []
        if not thoughts.is_to_come_back(thought):
            return b""
        return self._chunk_of({"reasoning_details": [thoughts.detail(thought)]})

    def _chunk_of(self, delta: Json) -> bytes:
        return self._delta + orjson.dumps(delta)[1:-1] + END_OF_CHUNK


def data_line(document: Json) -> bytes:
    """One event of a stream."""
    return b"data: " + orjson.dumps(document) + b"\n\n"
