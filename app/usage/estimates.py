"""Token counts for when nobody reported any: quick, close, and always marked as estimates."""

from collections.abc import Iterable

from app.providers.base import Turn

BYTES_PER_TOKEN = 3.5
TOKENS_PER_TURN = 4
"""What vendors add for each turn's frame."""
TOKENS_PER_IMAGE = 1_000


def tokens_in(text: str) -> int:
    """About how many tokens `text` is, in any language: bytes of UTF-8 stand for what vocabularies do."""
    return tokens_in_bytes(len(text.encode()))


def tokens_in_bytes(size: int) -> int:
    return round(size / BYTES_PER_TOKEN + 0.499)


def tokens_in_turns(turns: Iterable[Turn]) -> int:
    """About how many tokens a provider counts as input for `turns`."""
    return sum(_tokens_in_turn(turn) for turn in turns)


def _tokens_in_turn(turn: Turn) -> int:
    calls = sum(tokens_in(call.name) + tokens_in(call.arguments) for call in turn.tool_calls)
    return TOKENS_PER_TURN + tokens_in(turn.text) + TOKENS_PER_IMAGE * len(turn.images) + calls
