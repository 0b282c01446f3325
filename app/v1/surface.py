"""What every surface has in common: a vendor's clients ask in their words, and are answered in them.

A surface only translates. It reads a client's document into a request as `providers.base` knows it, and says
events, whole answers and failures in its vendor's words. What lies between is the same for all: `conversing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from app.core.errors import ParleyError
from app.providers.base import Request, Thought, ToolCall
from app.providers.events import Event, FinishReason, Usage
from app.values import value

Json = dict[str, Any]
NOTHING = Usage(input=0, output=0)


class BadRequest(ParleyError):
    """What a client sent cannot be understood or done. `parameter` is the one at fault, in the client's words."""

    status = 400
    code = "invalid_request"
    title = "This request cannot be served"

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


@value
class Asked:
    """What a client asks for; the request's model is the name that the client wrote."""

    request: Request
    wants_usage: bool = False
    """Whether a stream is to end with what it used, where clients must ask for that."""
    choices: int = 1
    echo: Mapping[str, Any] = field(default_factory=dict)
    """What of the request the answer repeats."""
    beyond: tuple[str, ...] = ()
    """Parameters that a request has no word for: served only where the client's own bytes are passed on."""
    is_conversation: bool = True
    """Whether it is more than a single prompt."""
    passable: Json | None = None
    """The document as it is passed on, where the client's own holds what only we understand."""


@dataclass
class Answer:
    """A whole answer. `usage` is the provider's, or an estimate."""

    id: str
    """Without a vendor's prefix: letters and digits."""
    model: str
    """The name that the client asked for."""
    created: int
    """Unix time in seconds."""
    text: str = ""
    thoughts: tuple[Thought, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    finish: FinishReason = FinishReason.STOP
    stop_sequence: str | None = None
    usage: Usage = NOTHING
    is_estimate: bool = False
    total_ms: int = 0


@dataclass(frozen=True)
class Failure:
    """Why a call failed: a `code` of ours that stays, a sentence that says what to do.

    `is_final`: the same call will fail again, so that a client need not try.
    """

    status: int
    code: str
    message: str
    parameter: str | None = None
    retry_after: float | None = None
    is_final: bool = True
    request_id: str = ""
    """For vendors that repeat it in the error itself."""


class Writer(Protocol):
    """One streamed answer in a vendor's words: what to send for each event, possibly nothing."""

    def feed(self, event: Event) -> bytes: ...

    def end(self, answer: Answer) -> bytes:
        """The stream's last words; the answer came whole."""
        ...

    def failed(self, failure: Failure) -> bytes:
        """An error, after which the stream ends. Never what a whole answer ends with."""
        ...


@runtime_checkable
class EndsForOthers(Protocol):
    """A writer of a language in which answers pass through."""

    def end_of_passed(self, answer: Answer, last: bytes) -> bytes:
        """What ends a stream of the provider's own words that was cut off; `last` is its last piece."""
        ...


class Surface(Protocol):
    """How one kind of request of one vendor's clients is read and answered."""

    @property
    def media_type(self) -> str:
        """Of a stream: `text/event-stream` or `application/x-ndjson`."""
        ...

    def read(self, body: Json) -> Asked:
        """Raises BadRequest."""
        ...

    def whole(self, asked: Asked, answer: Answer) -> Json: ...

    def writer(self, asked: Asked, answer: Answer) -> Writer:
        """`answer` has its id, model and time; the rest is still to come."""
        ...

    def error(self, failure: Failure) -> Json: ...
