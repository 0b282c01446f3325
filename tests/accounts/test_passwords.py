"""Hashing: with argon2, beside the event loop, from the first use on by several at once."""

import subprocess
import sys

from app.accounts import passwords
from app.core.settings import ROOT

FIRST_USE_BY_TWO = """
import asyncio
from app.accounts import passwords

async def main():
    first, second = await asyncio.gather(passwords.hashed("one of two"), passwords.matches("x", None))
    print(first, second)

asyncio.run(main())
"""


async def test_a_hash_knows_its_password() -> None:
    hashed = await passwords.hashed("seven slow bicycles")

    assert hashed.startswith("$argon2id$")
    assert await passwords.matches("seven slow bicycles", hashed)
    assert not await passwords.matches("seven slow bicycle", hashed)


async def test_nobody_has_no_password() -> None:
    assert not await passwords.matches("nobody has this password", None)


def test_two_may_be_first() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", FIRST_USE_BY_TWO], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
