"""Waits for what happens in the background, and not for longer than it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

SECONDS_TO_WAIT = 60
"""For the worst: a machine that is several times slower, and busy."""
MILLISECONDS_TO_WAIT = SECONDS_TO_WAIT * 1_000
"""As browsers count."""
SECONDS_BETWEEN_LOOKS = 0.01


async def until(look: Callable[[], Awaitable[Found | None]], seconds: float = SECONDS_TO_WAIT) -> Found:
    """What `look` returns, as soon as that is something; raises TimeoutError when it never is."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):  # noqa: ASYNC110  (nothing tells: that is what this is for)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        return found
