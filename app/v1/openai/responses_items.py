"""Items of a response while they grow: how each begins, grows and ends, as the events that clients expect."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

import orjson

from app.providers.base import Thought, ToolCall
from app.v1.openai.responses_tools import Origin, call_item, plain_input
from app.v1.openai.thoughts import reasoning_item
from app.v1.surface import Json

Step = tuple[str, Json]
"""An event's type and what it says besides its number."""


class GrowingItem(Protocol):
    """`head` is what stands before a piece in an event that brings it; empty while pieces are kept back."""

    pieces: list[str]
    head: bytes

    def begin(self) -> list[Step]: ...

    def end(self, status: str) -> list[Step]: ...

    def item(self, status: str) -> Json: ...


def event_head(kind: str, said: Json) -> bytes:
    """An event up to its `delta`: what all pieces of an item have in common."""
    start = orjson.dumps({"type": kind, **said})[:-1]
    return b"event: " + kind.encode() + b"\ndata: " + start + b',"delta":'


def message_item(item_id: str, text: str, status: str) -> Json:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": [part]}


class GrowingMessage:
    """What the model says."""

    prefix: ClassVar = "msg"

    def __init__(self, item_id: str, index: int) -> None:
        self._id = item_id
        self._item_place: Json = {"output_index": index}
        self._place: Json = {"item_id": item_id, "output_index": index, "content_index": 0}
        self.pieces: list[str] = []
        self.head = event_head("response.output_text.delta", self._place | {"logprobs": []})

    def begin(self) -> list[Step]:
        item = message_item(self._id, "", "in_progress")
        part = item["content"].pop()
        return [
            ("response.output_item.added", self._item_place | {"item": item}),
            ("response.content_part.added", self._place | {"part": part}),
        ]

    def end(self, status: str) -> list[Step]:
        item = self.item(status)
        part = item["content"][0]
        return [
            ("response.output_text.done", self._place | {"text": part["text"], "logprobs": []}),
            ("response.content_part.done", self._place | {"part": part}),
            ("response.output_item.done", self._item_place | {"item": item}),
        ]

    def item(self, status: str) -> Json:
        return message_item(self._id, "".join(self.pieces), status)


class GrowingThought:
    """What the model thinks, as the summary of a reasoning item. `seal` says how its vendor knows it again."""

    prefix: ClassVar = "rs"

    def __init__(self, item_id: str, index: int) -> None:
        self._id = item_id
        self._item_place: Json = {"output_index": index}
        self._place: Json = {"item_id": item_id, "output_index": index, "summary_index": 0}
        self.seal = Thought()
        self.pieces: list[str] = []
        self.head = event_head("response.reasoning_summary_text.delta", self._place)

    def begin(self) -> list[Step]:
        return [
            ("response.output_item.added", self._item_place | {"item": reasoning_item(Thought(), self._id)}),
            ("response.reasoning_summary_part.added", self._place | {"part": _summary("")}),
        ]

    def end(self, status: str) -> list[Step]:
        text = "".join(self.pieces)
        return [
            ("response.reasoning_summary_text.done", self._place | {"text": text}),
            ("response.reasoning_summary_part.done", self._place | {"part": _summary(text)}),
            ("response.output_item.done", self._item_place | {"item": self.item(status)}),
        ]

    def item(self, status: str) -> Json:
        thought = Thought("".join(self.pieces), self.seal.signature, self.seal.redacted)
        return reasoning_item(thought, self._id)


class SealedThought:
    """A thought that only its vendor can read: it comes whole."""

    def __init__(self, item_id: str, index: int, thought: Thought) -> None:
        self._id = item_id
        self._item_place: Json = {"output_index": index}
        self._thought = thought
        self.pieces: list[str] = []
        self.head = b""

    def begin(self) -> list[Step]:
        return [
            ("response.output_item.added", self._item_place | {"item": reasoning_item(Thought(), self._id)})
        ]

    def end(self, status: str) -> list[Step]:
        return [("response.output_item.done", self._item_place | {"item": self.item(status)})]

    def item(self, status: str) -> Json:
        return reasoning_item(self._thought, self._id)


class GrowingCall:
    """A call of a tool. What goes to a custom tool is wrapped in JSON, and comes when that is whole."""

    def __init__(
        self, item_id: str, index: int, call_id: str, name: str, origins: Mapping[str, Origin]
    ) -> None:
        self._id = item_id
        self._item_place: Json = {"output_index": index}
        self._place: Json = {"item_id": item_id, "output_index": index}
        self._call_id, self._name, self._origins = call_id, name, origins
        self._is_custom = name in origins and origins[name].is_custom
        self.pieces: list[str] = []
        self.head = (
            b"" if self._is_custom else event_head("response.function_call_arguments.delta", self._place)
        )

    def begin(self) -> list[Step]:
        item = self._as_item("", "in_progress")
        return [("response.output_item.added", self._item_place | {"item": item})]

    def end(self, status: str) -> list[Step]:
        arguments = "".join(self.pieces)
        done = ("response.output_item.done", self._item_place | {"item": self.item(status)})
        if self._is_custom:
            text = plain_input(arguments)
            return [
                ("response.custom_tool_call_input.delta", self._place | {"delta": text}),
                ("response.custom_tool_call_input.done", self._place | {"input": text}),
                done,
            ]
        said = self._place | {"name": self._name, "arguments": arguments or "{}"}
        return [("response.function_call_arguments.done", said), done]

    def item(self, status: str) -> Json:
        # Clients parse the arguments, also where there are none.
        return self._as_item("".join(self.pieces) or "{}", status)

    def _as_item(self, arguments: str, status: str) -> Json:
        return call_item(ToolCall(self._call_id, self._name, arguments), self._origins, self._id, status)


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}
