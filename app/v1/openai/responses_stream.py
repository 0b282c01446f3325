"""A response as events, numbered from 0, in the order that OpenAI documents. On the hot path."""

from collections.abc import Iterable, Mapping

import orjson

from app.providers.base import Thought
from app.providers.events import Event, ReasoningDelta, TextDelta, ThoughtEnded, ToolCallDelta
from app.providers.passage import Passed
from app.v1.openai import responses_document
from app.v1.openai.responses_items import (
    GrowingCall,
    GrowingItem,
    GrowingMessage,
    GrowingThought,
    SealedThought,
    Step,
)
from app.v1.openai.responses_passed import PassedResponse
from app.v1.openai.responses_tools import Origin
from app.v1.surface import Answer, Failure, Json


class ResponseWriter:
    """`response` is the response of which nothing has come yet; `origins` how the client knows its tools.

    Words and thoughts follow each other, and one ends where another begins. Calls may grow side by side; they
    end with the answer.
    """

    def __init__(self, response: Json, answer_id: str, origins: Mapping[str, Origin]) -> None:
        self._response = response
        self._answer_id = answer_id
        self._origins = origins
        self._number = -1
        self._items: list[GrowingItem] = []
        self._growing: GrowingMessage | GrowingThought | None = None
        self._calls: dict[int, GrowingCall] = {}
        self._passed: PassedResponse | None = None

    def feed(self, event: Event) -> bytes:
        if type(event) is Passed:
            self._passed = self._passed or PassedResponse()
            self._passed.take(event.data)
            return b""
        if type(event) is TextDelta:
            return self._piece_of(GrowingMessage, event.text)
        if type(event) is ReasoningDelta:
            return self._piece_of(GrowingThought, event.text)
        if type(event) is ToolCallDelta:
            return self._piece_of_call(event)
        if type(event) is ThoughtEnded:
            return self._thought_ended(Thought("", event.signature, event.redacted))
        return b""

    def end(self, answer: Answer) -> bytes:
        said = self._piece_of(GrowingMessage, "") if not self._items else b""
        status = responses_document.status_of(answer)
        said += self._close(status)
        for call in self._calls.values():
            said += self._events(call.end(status))
        response = responses_document.ended(self._response, answer, self._output(status))
        return said + self._event(f"response.{status}", {"response": response})

    def end_of_passed(self, answer: Answer, last: bytes) -> bytes:
        return self._passed.ended(answer, self._response) if self._passed else self.end(answer)

    def failed(self, failure: Failure) -> bytes:
        if self._passed is not None:
            return self._passed.failed(failure, self._response)
        response = responses_document.failed(self._response, failure, self._output("incomplete"))
        return self._start() + self._event("response.failed", {"response": response})

    def _piece_of(self, kind: type[GrowingMessage | GrowingThought], piece: str) -> bytes:
        growing = self._growing
        if growing is not None and type(growing) is kind:
            return self._piece(growing, piece)
        closed = self._close("completed")
        self._growing = growing = kind(self._id(kind.prefix), len(self._items))
        return closed + self._open(growing) + self._piece(growing, piece)

    def _piece_of_call(self, event: ToolCallDelta) -> bytes:
        call = self._calls.get(event.index)
        if call is not None:
            return self._piece(call, event.arguments)
        closed = self._close("completed")
        call_id = event.id or f"call_{event.index}"
        call = GrowingCall(self._id("fc"), len(self._items), call_id, event.name or "", self._origins)
        self._calls[event.index] = call
        return closed + self._open(call) + self._piece(call, event.arguments)

    def _thought_ended(self, seal: Thought) -> bytes:
        if type(self._growing) is GrowingThought:
            self._growing.seal = seal
            return self._close("completed")
        if not (seal.signature or seal.redacted):
            return b""
        sealed = SealedThought(self._id("rs"), len(self._items), seal)
        return self._close("completed") + self._open(sealed) + self._events(sealed.end("completed"))

    def _piece(self, item: GrowingItem, piece: str) -> bytes:
        if not piece:
            return b""
        item.pieces.append(piece)
        if not item.head:
            return b""
        self._number += 1
        return b'%b%b,"sequence_number":%d}\n\n' % (item.head, orjson.dumps(piece), self._number)

    def _open(self, item: GrowingItem) -> bytes:
        started = self._start()
        self._items.append(item)
        return started + self._events(item.begin())

    def _close(self, status: responses_document.Status) -> bytes:
        growing, self._growing = self._growing, None
        return self._events(growing.end(status)) if growing else b""

    def _start(self) -> bytes:
        if self._number >= 0:
            return b""
        said = {"response": self._response}
        return self._event("response.created", said) + self._event("response.in_progress", said)

    def _output(self, status: responses_document.Status) -> list[Json]:
        """Every item. Calls and what came last share the answer's end."""
        return [
            item.item(status if type(item) is GrowingCall or item is self._items[-1] else "completed")
            for item in self._items
        ]

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._answer_id}_{len(self._items)}"

    def _events(self, steps: Iterable[Step]) -> bytes:
        return b"".join(self._event(kind, said) for kind, said in steps)

    def _event(self, kind: str, said: Json) -> bytes:
        self._number += 1
        document = orjson.dumps({"type": kind, **said, "sequence_number": self._number})
        return b"event: " + kind.encode() + b"\ndata: " + document + b"\n\n"
