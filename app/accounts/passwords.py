"""Passwords: hashed with argon2, away from the event loop, a few at a time.

The only module that knows `passlib`. Memory and time follow OWASP's Password Storage Cheat Sheet
(argon2id, 19 MiB, two passes, one lane).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from passlib.hash import argon2

AT_ONCE = 2  # each takes 19 MiB and a processor: more at once would starve those who chat

# Chosen here, once: passlib's own choice at first use breaks when two threads make it together.
argon2.set_backend("argon2_cffi")
_argon2 = argon2.using(type="ID", memory_cost=19_456, rounds=2, parallelism=1)
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")


async def hashed(password: str) -> str:
    """The hash to be stored for `password`; takes some 30 ms of a thread's time."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hash, password)


async def matches(password: str, password_hash: str | None) -> bool:
    """Whether `password` made this hash. None stands for an account that does not exist: as slow, and False."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, password, password_hash)


def _hash(password: str) -> str:
    text: str = _argon2.hash(password)
    return text


def _verify(password: str, password_hash: str | None) -> bool:
    fits = bool(_argon2.verify(password, password_hash or _hash_of_nobody()))
    return fits and password_hash is not None


@cache
def _hash_of_nobody() -> str:
    return _hash("nobody has this password")
