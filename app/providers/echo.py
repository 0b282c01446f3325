"""Echo: the practice provider. It is no AI; it says back what it was told, so that everything can be tried."""

import asyncio
import re
from collections.abc import AsyncIterator

from app.providers.base import (
    Endpoint,
    Event,
    Finished,
    FinishReason,
    ModelInfo,
    Request,
    Role,
    TextDelta,
    Usage,
    UsageReport,
)

WORDS = re.compile(r"\s*\S+|\s+$")
SECONDS_BETWEEN_WORDS = 0.02


class Echo:
    """Models: `echo` answers at reading speed, `echo-fast` at once, `echo-slow` twenty times slower."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        question = next((turn.text for turn in reversed(request.turns) if turn.role is Role.USER), "")
        pause = {"echo-fast": 0.0, "echo-slow": SECONDS_BETWEEN_WORDS * 20}.get(
            request.model, SECONDS_BETWEEN_WORDS
        )
        words = WORDS.findall(question)
        for word in words:
            await asyncio.sleep(pause)
            yield TextDelta(word)
        heard = sum(len(WORDS.findall(turn.text)) for turn in request.turns)
        yield UsageReport(Usage(input=heard, output=len(words)))
        yield Finished(FinishReason.STOP)

    async def list_models(self) -> list[ModelInfo]:
        return [
            ModelInfo("echo", "Echo", context_window=32_768),
            ModelInfo("echo-fast", "Echo, fast", context_window=32_768),
            ModelInfo("echo-slow", "Echo, slow", context_window=32_768),
        ]
