"""Quoting a vendor's own words without repeating a key or a piece of what a person wrote."""

import re
from collections.abc import Sequence

LONGEST_QUOTE = 300
LONGEST_OVERLAP = 24
"""Characters of a prompt that may turn up in a quote: single words do, sentences do not."""

MOST_TO_SEARCH = 200_000
"""Characters. Beyond that a quote is not worth the time that looking for it takes."""

WRITTEN = {"content", "text", "system", "thinking"}
WRITTEN_THROUGHOUT = {"arguments", "input"}
"""What a tool is called with, in whatever shape, and the texts that embeddings are asked for."""

SOMETHING_LIKE_A_KEY = re.compile(r"\b(?:sk|gsk|pk|xai|key|Bearer)[-_ ][\w*.-]{6,}|\b[A-Za-z0-9_-]{40,}\b")
SPACES = re.compile(r"[\s\x00]+")
"""And NUL, which databases refuse."""


def quoted(message: str, private: Sequence[str] = ()) -> str:
    """` It said: “…”`, or nothing when there is nothing that may be said."""
    message = SPACES.sub(" ", message).strip()[:LONGEST_QUOTE]
    if not message or _repeats(message, private):
        return ""
    return f" It said: “{SOMETHING_LIKE_A_KEY.sub('••••', message)}”"


def _repeats(message: str, private: Sequence[str]) -> bool:
    """Whether `message` contains one of the texts, or a longer piece of one, or that is too long to find out."""
    if sum(len(text) for text in private) > MOST_TO_SEARCH:
        return True
    texts = [SPACES.sub(" ", text).strip() for text in private]
    if any(text in message for text in texts if len(text) >= 8):
        return True
    windows = [message[at : at + LONGEST_OVERLAP] for at in range(len(message) - LONGEST_OVERLAP + 1)]
    return any(window in text for text in texts for window in windows)


def words_of(message: object) -> list[str]:
    """Every text that people or models wrote in a request's messages, whatever the vendor's shape."""
    if isinstance(message, list):
        return [words for item in message for words in words_of(item)]
    if not isinstance(message, dict):
        return []
    own = [value for key, value in message.items() if key in WRITTEN and isinstance(value, str)]
    within = [
        _every_text(value) if key in WRITTEN_THROUGHOUT else words_of(value) for key, value in message.items()
    ]
    return own + [words for texts in within for words in texts]


def _every_text(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _every_text(item)]
