"""Opaque ids for rows and URLs: short, without look-alike letters, and growing with time."""

import secrets
import threading
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
LENGTH = 16
RANDOM_BITS = 32

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A new id of 16 characters: 48 bits of milliseconds, then 32 random bits.

    Ids made by one process are strictly increasing, so that ordering by id is ordering by creation.
    """
    global _last
    with _lock:
        candidate = (time.time_ns() // 1_000_000 << RANDOM_BITS) | secrets.randbits(RANDOM_BITS)
        _last = candidate if candidate > _last else _last + 1
        return _encode(_last)


def _encode(number: int) -> str:
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
