"""Reads embeddings without trusting their shape: numbers, or the base64 of numbers."""

import binascii
from array import array
from base64 import b64decode
from collections.abc import Sequence
from math import isfinite
from sys import byteorder

Vector = tuple[float, ...]

BYTES_PER_NUMBER = 4


def vector_in(value: object) -> Vector | None:
    """The vector that `value` is: a list of numbers, or base64 of 32-bit floats, little end first."""
    numbers = _decoded(value) if isinstance(value, str) else _listed(value)
    return numbers if numbers and all(map(isfinite, numbers)) else None


def all_of_one_length(vectors: Sequence[Vector | None], count: int) -> tuple[Vector, ...] | None:
    """The vectors, if there are `count` of them and none is missing or shorter than another."""
    found = tuple(vector for vector in vectors if vector is not None)
    is_whole = len(vectors) == len(found) == count and len({len(vector) for vector in found}) <= 1
    return found if is_whole else None


def _listed(value: object) -> Vector | None:
    if not isinstance(value, list):
        return None
    numbers = tuple(float(item) for item in value if isinstance(item, int | float))
    return numbers if len(numbers) == len(value) else None


def _decoded(text: str) -> Vector | None:
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(content) % BYTES_PER_NUMBER:
        return None
    numbers = array("f", content)
    if byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)
