"""Token counts for when nobody reported any: quick, close, and always marked as estimates."""

import json
from collections.abc import Iterable

from app.providers.base import Tool, Turn

BYTES_PER_TOKEN = 3.5
TOKENS_PER_TURN = 4
"""What vendors add for each turn's frame."""
TOKENS_PER_IMAGE = 1_000
MOST_TOKENS_PER_TURN = 16
MOST_TOKENS_PER_IMAGE = 50_000
MOST_TOKENS_FOR_TOOLS = 1_000
"""What vendors tell a model about how tools are called."""

ENCRYPTED_CHARACTERS_OF_ONE = 4
"""At most, that stand for one character of a thought nobody may read: in base64, each thought in an envelope."""

LARGEST_ROOM = 4_096


def room_for_answer(window: int) -> int:
    """Tokens of a window that are kept free for an answer, but never more than a quarter of it."""
    return min(LARGEST_ROOM, window // 4)


def tokens_in(text: str) -> int:
    """About how many tokens `text` is, in any language: bytes of UTF-8 stand for what vocabularies do."""
    return tokens_in_bytes(len(text.encode()))


def tokens_in_bytes(size: int) -> int:
    return round(size / BYTES_PER_TOKEN + 0.499)


def tokens_in_turns(turns: Iterable[Turn]) -> int:
    """About how many tokens a provider counts as input for `turns`."""
    return sum(_tokens_in_turn(turn) for turn in turns)


def _tokens_in_turn(turn: Turn) -> int:
    said = TOKENS_PER_TURN + tokens_in_bytes(turn.size)
    if turn.is_plain:
        return said
    calls = sum(tokens_in(call.name) + tokens_in(call.arguments) for call in turn.tool_calls)
    thoughts = sum(tokens_in(thought.text) for thought in turn.thoughts)
    images = TOKENS_PER_IMAGE * len(turn.all_images)
    return said + images + calls + thoughts


def most_tokens_in(turns: Iterable[Turn], tools: Iterable[Tool] = ()) -> int:
    """More tokens than any provider counts for this: no vocabulary makes more of them than there are bytes."""
    offered = [_bytes_in(tool.name, tool.description, json.dumps(tool.parameters)) for tool in tools]
    return sum(map(_most_tokens_in_turn, turns)) + (sum(offered) + MOST_TOKENS_FOR_TOOLS if offered else 0)


def _most_tokens_in_turn(turn: Turn) -> int:
    said = MOST_TOKENS_PER_TURN + turn.size
    if turn.is_plain:
        return said
    calls = sum(_bytes_in(call.id, call.name, call.arguments) for call in turn.tool_calls)
    thoughts = sum(_bytes_in(thought.text, thought.signature, thought.redacted) for thought in turn.thoughts)
    said += _bytes_in(turn.tool_call_id or "") + MOST_TOKENS_PER_TURN * len(turn.parts)
    images = MOST_TOKENS_PER_IMAGE * len(turn.all_images)
    return said + images + calls + thoughts


def _bytes_in(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts)
