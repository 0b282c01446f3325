"""The narrow seam between Parley and every provider: values in, events out.

A provider knows its vendor's wire format and nothing of Parley. `stream` is the one way to a completion;
everything above this seam speaks only the values defined here, and hears the events of `events.py`.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, Self

from app.providers.events import Event, Usage
from app.providers.passage import Dialect, Passage
from app.values import value


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True)
class Image:
    """An image's bytes; `media_type` is `image/png`, `image/jpeg`, `image/webp` or `image/gif`.

    `encoded` is the same in base64, where it came like that: to encode ten megabytes keeps others waiting.
    """

    media_type: str
    data: bytes
    encoded: str = field(default="", repr=False, compare=False)

    @property
    def base64(self) -> str:
        return self.encoded or b64encode(self.data).decode()


@dataclass(frozen=True)
class ToolCall:
    """A model's wish to call a tool; `arguments` is JSON text, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Thought:
    """What a model thought before it answered, for the vendor that wants it back unchanged.

    `signature` is the vendor's proof that it is its own; `redacted` is a thought that only the vendor can read.
    """

    text: str = ""
    signature: str = ""
    redacted: str = ""


@value
class Turn:
    """One message of a conversation, as every vendor can be told it."""

    role: Role
    text: str = ""
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """For a turn of role TOOL: the call that it answers."""
    is_error: bool = False
    """For a turn of role TOOL: the tool failed, and `text` says how."""
    thoughts: tuple[Thought, ...] = ()
    parts: tuple[str | Image, ...] = ()
    """Text and images in their order, where that matters; then `text` and `images` are empty."""

    @property
    def is_plain(self) -> bool:
        """Whether its text is all there is, as of most turns of a long conversation."""
        return not (self.parts or self.images or self.tool_calls or self.tool_call_id or self.thoughts)

    @property
    def content(self) -> tuple[str | Image, ...]:
        """Text and images in the order in which a model is to read them; no text is empty."""
        return tuple(part for part in (self.parts or (*self.images, self.text)) if part)

    @property
    def all_text(self) -> str:
        """The text alone; what stood in parts is set apart by empty lines."""
        if self.is_plain:
            return self.text
        return "\n\n".join(part for part in self.content if isinstance(part, str))

    @property
    def all_images(self) -> tuple[Image, ...]:
        return () if self.is_plain else tuple(part for part in self.content if isinstance(part, Image))

    @cached_property
    def size(self) -> int:
        """Bytes of its text. Whoever decides about a call wants to know, of each turn of the conversation."""
        return len(self.all_text.encode())


@dataclass(frozen=True)
class Tool:
    """A function offered to the model; `parameters` is its JSON Schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolUse(StrEnum):
    """Whether the model may call tools, must, or must not."""

    AUTO = "auto"
    REQUIRED = "required"
    NONE = "none"


@dataclass(frozen=True)
class JsonFormat:
    """The answer is to be JSON; with a `schema`, JSON that fits it."""

    schema: dict[str, Any] | None = None
    name: str = "answer"
    is_strict: bool = True


@value
class Request:
    """A completion that is asked for. None means: the provider's own default.

    What a vendor has no word for is refused with RequestRefused, naming the parameter; when `is_lenient`, it is
    left out instead.
    """

    model: str
    turns: tuple[Turn, ...]
    streaming: bool = True
    max_output_tokens: int | None = None
    temperature: float | None = None
    tools: tuple[Tool, ...] = ()
    reasoning_effort: str | None = None
    context_window: int | None = None
    """The model's window in tokens where it is known; Ollama must be told, or it cuts silently."""
    tool_use: ToolUse | None = None
    tool_name: str | None = None
    """The one tool that must be called."""
    parallel_tool_calls: bool | None = None
    response_format: JsonFormat | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    thinking_budget: int | None = None
    """Tokens that the model may think for, where a client gives a number instead of an effort."""
    is_lenient: bool = False
    choices: int = 1
    """Answers at once; more than one only from a provider that takes the passage."""
    beyond: tuple[str, ...] = ()
    """Parameters of the passage that a request has no word for."""
    passage: Passage | None = None
    at_usual_price: bool = False
    """Not as a dearer service, whatever the account is set to there: a hard limit pays for no more."""

    def but(self, **changes: Any) -> Self:
        """The same request but for these fields.

        Like `dataclasses.replace`, which sets all fields anew one by one: every call asks for this several times.
        """
        changed = object.__new__(type(self))
        vars(changed).update(vars(self), **changes)
        return changed


@dataclass(frozen=True)
class EmbeddingRequest:
    """Vectors that are asked for, one for each text. `dimensions`: how long, for models that can choose."""

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None


@dataclass(frozen=True)
class Embeddings:
    """One vector for each text, in their order, all of one length; what that used."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage | None = None


@dataclass(frozen=True)
class ModelInfo:
    """What a provider tells of a model; None where it says nothing."""

    name: str
    display_name: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    vision: bool | None = None
    tools: bool | None = None
    reasoning: bool | None = None
    embeddings: bool | None = None
    family: str | None = None
    parameters: str | None = None
    """How many, as people write it: `7.6B`."""
    quantization: str | None = None
    """Such as `Q4_K_M`."""
    size: int | None = None
    """Bytes on disk."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds. `first_token` runs from the request, `idle` from one piece of a stream to the next."""

    connect: float = 10
    first_token: float = 120
    idle: float = 60


@dataclass(frozen=True)
class Endpoint:
    """Where a provider is reached, and how patiently. `retries` counts tries after the first.

    `label` is what errors call it; empty for the name of its kind.
    """

    base_url: str
    key: str | None = field(default=None, repr=False)
    timeouts: Timeouts = Timeouts()
    retries: int = 2
    label: str = ""


class Provider(Protocol):
    """One vendor at one endpoint. Every method raises a `providers.errors.ProviderError` when it fails."""

    @property
    def dialects(self) -> Collection[Dialect]:
        """Whose passages it takes: it answers those with `Passed`, beside `UsageReport` and `Finished`."""
        ...

    def stream(self, request: Request) -> AsyncIterator[Event]:
        """The completion, event by event, ending with `Finished`.

        Tried again with back-off before the first token only. Closing the iterator ends the upstream call.
        """
        ...

    async def list_models(self) -> list[ModelInfo]:
        """Every model the endpoint offers. Also serves as its test: it needs address, key and protocol."""
        ...

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """The vectors. Raises RequestRefused for a vendor that makes none."""
        ...
