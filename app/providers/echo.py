"""Echo: the practice provider. It is no AI; it says back what it was told, so that everything can be tried.

A question may begin with directives, one after another; what follows them is said back:

    /think             thinks aloud before it answers
    /markdown          adds a heading, a list, a table and code
    /long 500          goes on for 500 words more
    /tool NAME {JSON}  calls a tool that was offered, with these arguments; several of them call at once.
                       What the tools return is said back
    /slow              pauses like echo-slow
    /stall             says half of it and then nothing more, until it is stopped or patience (the idle
                       time-out) ends
    /break             breaks off half-way
    /fail CODE         fails before the first word, like a provider would: `rate_limited`, `key_rejected`, …
                       (the codes in errors.py)

Told that it must call a tool, or answer in JSON, it makes something up that fits. Every model of its makes
embeddings. Everything is deterministic. One word counts as one token.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final

from app.providers import errors
from app.providers.base import EmbeddingRequest, Embeddings, Endpoint, ModelInfo, Request
from app.providers.echo_script import Script, script_for, words_in
from app.providers.echo_vectors import vector_of
from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ThoughtEnded,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.providers.passage import Dialect

CONTEXT_WINDOW = 32_768
SIGNATURE = "signed-by-echo"


class Echo:
    """Models: `echo` answers at reading speed, `echo-fast` at once, `echo-slow` so that it can be stopped."""

    dialects: Final[frozenset[Dialect]] = frozenset()

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        script = script_for(request, self._endpoint.timeouts.idle)
        if script.failure:
            raise script.failure
        async for event in _spoken(script):
            yield event
        yield UsageReport(_usage(request, script))
        yield Finished(_reason(script), script.stop_sequence)

    async def list_models(self) -> list[ModelInfo]:
        names = {"echo": "Echo", "echo-fast": "Echo, fast", "echo-slow": "Echo, slow"}
        return [
            ModelInfo(name, title, CONTEXT_WINDOW, vision=True, tools=True, reasoning=True, embeddings=False)
            for name, title in names.items()
        ]

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        vectors = tuple(vector_of(text, request.dimensions) for text in request.texts)
        words = sum(len(words_in(text)) for text in request.texts)
        return Embeddings(vectors, Usage(input=words, output=0))


async def _spoken(script: Script) -> AsyncIterator[Event]:
    for thought in script.thoughts:
        await asyncio.sleep(script.pause)
        yield ReasoningDelta(thought)
    if script.thoughts:
        yield ThoughtEnded(SIGNATURE)
    for number, event in enumerate(_utterances(script)):
        if number == script.stumbles_at:
            await _stumble(script)
        await asyncio.sleep(script.pause)
        yield event


def _utterances(script: Script) -> Iterator[Event]:
    yield from map(TextDelta, script.words)
    for index, call in enumerate(script.calls):
        yield ToolCallDelta(index, call.id, call.name)
        yield from (ToolCallDelta(index, arguments=piece) for piece in words_in(call.arguments))


async def _stumble(script: Script) -> None:
    if script.stalls_for is not None:
        await asyncio.sleep(script.stalls_for)
        raise errors.TimedOut("Echo fell silent because it was told to.", "Ask again without /stall.")
    raise errors.BrokenOff("Echo broke off because it was told to.", "Ask again without /break.")


def _reason(script: Script) -> FinishReason:
    if script.is_cut:
        return FinishReason.LENGTH
    return FinishReason.TOOL_CALLS if script.calls else FinishReason.STOP


def _usage(request: Request, script: Script) -> Usage:
    heard = sum(len(words_in(turn.all_text)) for turn in request.turns)
    called = sum(len(words_in(call.arguments)) for call in script.calls)
    said = len(script.thoughts) + len(script.words) + called
    return Usage(input=heard, output=said, reasoning=len(script.thoughts))
