"""Opaque ids for rows and URLs: short, without look-alike letters, and growing with time."""

import os
import threading
import time
from struct import unpack

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
LENGTH = 16
RANDOM_BITS = 32
DRAWN_AT_ONCE = 1_024
"""Random parts of ids. While the kernel is asked for one, other threads take the interpreter's lock."""

_lock = threading.Lock()
_last = 0
_chances: list[int] = []


def new_id() -> str:
    """A new id of 16 characters: 48 bits of milliseconds, then 32 random bits.

    Ids made by one process are strictly increasing, so that ordering by id is ordering by creation.
    """
    global _last
    with _lock:
        if not _chances:
            _chances.extend(unpack(f"{DRAWN_AT_ONCE}I", os.urandom(DRAWN_AT_ONCE * RANDOM_BITS // 8)))
        candidate = (time.time_ns() // 1_000_000 << RANDOM_BITS) | _chances.pop()
        _last = candidate if candidate > _last else _last + 1
        return _encode(_last)


# A process that was forked must not draw what its parent will.
os.register_at_fork(after_in_child=_chances.clear)


def id_at(milliseconds: int, number: int) -> str:
    """The id of something made up that is to look as if it had been made at a moment: the same each time."""
    return _encode((milliseconds << RANDOM_BITS) | number % (1 << RANDOM_BITS))


def _encode(number: int) -> str:
    return "".join([PAIRS[(number >> shift) & 0x3FF] for shift in range(10 * (LENGTH // 2 - 1), -1, -10)])
