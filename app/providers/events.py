"""What a completion is told in, piece by piece, whoever the vendor is; and what it used in the end."""

from enum import StrEnum

from app.providers.errors import ProviderError
from app.providers.passage import Passed
from app.values import value


@value
class Usage:
    """Tokens as the vendor reported them, brought to one way of counting.

    `input` includes what was read from and written to a cache, `output` includes reasoning.
    """

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cache_write_hour: int = 0
    """Of `cache_write`, what is kept for an hour, which costs more."""
    service: str = ""
    """The vendor's word for how it served the call, such as `flex`, where that is not its standard way."""


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@value
class TextDelta:
    text: str


@value
class ReasoningDelta:
    text: str


@value
class ThoughtEnded:
    """A thought is whole. What came as ReasoningDelta since the last one is its text.

    Only vendors that want thoughts back send it: with a `signature`, or `redacted` and without text.
    """

    signature: str = ""
    redacted: str = ""


@value
class ToolCallDelta:
    """A piece of a tool call. The first of an `index` carries id and name; `arguments` are to be joined."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@value
class UsageReport:
    """The provider's figures so far; a later report replaces an earlier one. None: they cannot be true."""

    usage: Usage | None


@value
class Finished:
    """The last event of a completion that came whole. A stream without it was cut off."""

    reason: FinishReason
    stop_sequence: str | None = None
    """The one of `Request.stop` that ended it, where the vendor says so."""


@value
class Retried:
    """The provider was asked in vain, and is asked again; after a pause where there was an `error`."""

    error: ProviderError | None = None


Event = Passed | Retried | TextDelta | ReasoningDelta | ThoughtEnded | ToolCallDelta | UsageReport | Finished


ABOUT_THE_ANSWER = (UsageReport, Retried)
"""What is told beside an answer, also before it."""


def is_of_the_answer(event: Event) -> bool:
    """Whether the answer itself has begun with `event`: some vendors report a cost before the first token."""
    return not isinstance(event, ABOUT_THE_ANSWER)
