"""The narrow seam between Parley and every provider: values in, events out.

A provider knows its vendor's wire format and nothing of Parley. `stream` is the one way to a completion;
everything above this seam speaks only the values defined here.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True)
class Image:
    """An image's bytes; `media_type` is `image/png`, `image/jpeg`, `image/webp` or `image/gif`."""

    media_type: str
    data: bytes


@dataclass(frozen=True)
class ToolCall:
    """A model's wish to call a tool; `arguments` is JSON text, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Turn:
    """One message of a conversation, as every vendor can be told it."""

    role: Role
    text: str = ""
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """For a turn of role TOOL: the call that it answers."""


@dataclass(frozen=True)
class Tool:
    """A function offered to the model; `parameters` is its JSON Schema."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A completion that is asked for. None means: the provider's own default."""

    model: str
    turns: tuple[Turn, ...]
    streaming: bool = True
    max_output_tokens: int | None = None
    temperature: float | None = None
    tools: tuple[Tool, ...] = ()
    reasoning_effort: str | None = None
    context_window: int | None = None
    """The model's window in tokens where it is known; Ollama must be told, or it cuts silently."""


@dataclass(frozen=True)
class Usage:
    """Tokens as the vendor reported them, brought to one way of counting.

    `input` includes what was read from and written to a cache, `output` includes reasoning.
    """

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True)
class TextDelta:
    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True)
class ToolCallDelta:
    """A piece of a tool call. The first of an `index` carries id and name; `arguments` are to be joined."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True)
class UsageReport:
    """The provider's figures so far; a later report replaces an earlier one."""

    usage: Usage


@dataclass(frozen=True)
class Finished:
    """The last event of a completion that came whole. A stream without it was cut off."""

    reason: FinishReason


Event = TextDelta | ReasoningDelta | ToolCallDelta | UsageReport | Finished


def is_of_the_answer(event: Event) -> bool:
    """Whether the answer itself has begun with `event`: some vendors report a cost before the first token."""
    return not isinstance(event, UsageReport)


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

    def stream(self, request: Request) -> AsyncIterator[Event]:
        """The completion, event by event, ending with `Finished`.

        Tried again with back-off before the first token only. Closing the iterator ends the upstream call.
        """
        ...

    async def list_models(self) -> list[ModelInfo]:
        """Every model the endpoint offers. Also serves as its test: it needs address, key and protocol."""
        ...
