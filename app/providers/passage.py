"""What passes through: a client's own document, for a provider that speaks the client's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Dialect(StrEnum):
    """A language in which clients and providers speak to each other."""

    OPENAI_CHAT = "openai chat completions"
    ANTHROPIC_MESSAGES = "anthropic messages"


@dataclass(frozen=True)
class Passage:
    """A client's own document: a provider that speaks its dialect gets it as it is, but for what Parley decides.

    `wants_usage`: whether the client's stream ends with what it used, where clients must ask for that.
    """

    dialect: Dialect
    document: dict[str, Any] = field(repr=False)
    wants_usage: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of the client that belong to the language, such as `anthropic-beta`."""


@dataclass(frozen=True)
class Passed:
    """A piece of the answer in the provider's own words, to be sent on as it is: whole events, or all of it.

    `pieces` is how many events it holds, which is about as many tokens.
    """

    data: bytes
    pieces: int = 1
