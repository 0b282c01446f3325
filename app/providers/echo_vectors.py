"""Echo's embeddings: short, always the same for the same text, and alike for texts that share words."""

from hashlib import blake2b
from math import sqrt

from app.providers.vectors import Vector

DIMENSIONS = 8
MOST_DIMENSIONS = 4_096


def vector_of(text: str, dimensions: int | None = None) -> Vector:
    """A vector of length 1: each word adds its own, so that what shares words lies near."""
    dimensions = min(dimensions or DIMENSIONS, MOST_DIMENSIONS)
    total = [0.0] * dimensions
    for word in text.lower().split() or [""]:
        for place, number in enumerate(_numbers(word, dimensions)):
            total[place] += number
    length = sqrt(sum(number * number for number in total)) or 1.0
    return tuple(number / length for number in total)


def _numbers(word: str, count: int) -> list[float]:
    """`count` numbers from -1 to 1, drawn from the word's hash."""
    content = b"".join(
        blake2b(word.encode(), digest_size=64, salt=block.to_bytes(2)).digest()
        for block in range(count // 64 + 1)
    )
    return [byte / 127.5 - 1 for byte in content[:count]]
