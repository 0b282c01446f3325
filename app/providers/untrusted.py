"""Reads what a provider sent without trusting its shape: what is missing or odd counts as not said."""

import json
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import orjson

Json = dict[str, object]
Asked = ParamSpec("Asked")
Found = TypeVar("Found")

NUMBERS = (int, float)
LARGEST_COUNT = 10**15
MOST_TOKENS = 100_000_000
"""Of one call: ten times what the largest context windows hold."""


class Incredible(ValueError):
    """Figures that cannot be true."""


def parsed(payload: bytes | str) -> Json | None:
    """The JSON object in `payload`; None when it is anything else.

    A bare list counts as an object that holds it under `data`: Together lists its models, and Google reports
    its errors, in that shape.
    """
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError:
        value = _mended(payload)
    if isinstance(value, list):
        return {"data": value}
    return value if isinstance(value, dict) else None


def readable(text: bytes) -> bytes:
    """The same text with U+FFFD for half a character, as browsers read it; other clients fail at it.

    Models write byte by byte, and may be cut inside a character.
    """
    # Most is ASCII, and seen to be without being decoded.
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text


def _mended(payload: bytes | str) -> object:
    """What is in it, with U+FFFD for half a character: of its bytes, or of a pair of escaped surrogates.

    None when it is no JSON all the same.
    """
    text = payload.decode(errors="replace") if isinstance(payload, bytes) else payload
    try:
        # Python's own reader minds no half of a pair.
        whole = json.dumps(json.loads(text), ensure_ascii=False)
        return orjson.loads(whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return None


def object_at(source: Json, key: str) -> Json:
    """The object at `key`; an empty one when there is none."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def objects_at(source: Json, key: str) -> list[Json]:
    """The objects in the list at `key`, leaving out whatever else stands there."""
    return [item for item in list_at(source, key) if isinstance(item, dict)]


def list_at(source: Json, key: str) -> list[object]:
    value = source.get(key)
    return value if isinstance(value, list) else []


def text_at(source: Json, key: str) -> str:
    """The text at `key`; empty when there is none."""
    value = source.get(key)
    return value if isinstance(value, str) else ""


def count_at(source: Json, key: str) -> int | None:
    """The whole number at `key`, never negative; None when there is none."""
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, NUMBERS) or not abs(value) < LARGEST_COUNT:
        return None
    return max(0, int(value))


def tokens_at(source: Json, key: str) -> int | None:
    """The tokens that were counted at `key`; None when there is no number.

    Raises Incredible for fewer than none, and for more than one call can use: with `if_credible` such a report
    counts as none, and what was used is estimated.
    """
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, NUMBERS):
        return None
    return believed(value)


def believed(tokens: float) -> int:
    """As many tokens as are said to have been used by one call. Raises Incredible."""
    if not 0 <= tokens <= MOST_TOKENS:
        raise Incredible
    return int(tokens)


def if_credible(read: Callable[Asked, Found]) -> Callable[Asked, Found | None]:
    """`read`, which returns None where it came upon figures that cannot be true."""

    @wraps(read)
    def believing(*args: Asked.args, **kwargs: Asked.kwargs) -> Found | None:
        try:
            return read(*args, **kwargs)
        except Incredible:
            return None

    return believing


def flag_at(source: Json, key: str) -> bool | None:
    value = source.get(key)
    return value if isinstance(value, bool) else None
