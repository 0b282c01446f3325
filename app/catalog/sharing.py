"""Several keys for one connection share its load: each call goes to the one that has the least to do.

A key that the provider limits, or does not accept, rests for a while; the others go on without a pause.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from app.providers.base import EmbeddingRequest, Embeddings, ModelInfo, Provider, Request
from app.providers.counting import CountsTokens
from app.providers.errors import KeyRejected, OutOfCredit, ProviderError, RateLimited
from app.providers.events import Event, Retried, is_of_the_answer
from app.providers.passage import Dialect
from app.providers.wire import with_retries

OF_THE_KEY = (RateLimited, KeyRejected, OutOfCredit)
"""Errors that another key of the same connection may not meet."""
SECONDS_OF_REST = 30.0
SECONDS_AFTER_A_REFUSAL = 300.0
"""A key that is not accepted, or has no credit, will not be well in a moment."""
LONGEST_REST = 600.0

Answer = TypeVar("Answer")


@dataclass
class Desk:
    """The provider with one of the keys. `rests_until` and `used_at` are moments of the clock."""

    provider: Provider
    calls: int = 0
    used_at: float = 0.0
    rests_until: float = 0.0

    @contextmanager
    def busy(self, at: float) -> Iterator[Provider]:
        self.calls += 1
        self.used_at = at
        try:
            yield self.provider
        finally:
            self.calls -= 1

    def rest(self, error: ProviderError, at: float) -> None:
        usual = SECONDS_OF_REST if isinstance(error, RateLimited) else SECONDS_AFTER_A_REFUSAL
        self.rests_until = at + min(LONGEST_REST, usual if error.retry_after is None else error.retry_after)


class SharedLoad:
    """A provider with several keys. `providers` are the same one with a key each, and do not try again."""

    def __init__(
        self, providers: Sequence[Provider], retries: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._desks = [Desk(provider) for provider in providers]
        self._retries = retries
        self._clock = clock

    @property
    def dialects(self) -> Collection[Dialect]:
        return self._desks[0].provider.dialects

    def stream(self, request: Request) -> AsyncIterator[Event]:
        return with_retries(lambda: self._streamed(request), self._retries)

    async def list_models(self) -> list[ModelInfo]:
        return await self._answered(lambda provider: provider.list_models())

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        return await self._answered(lambda provider: provider.embed(request))

    async def count_tokens(self, request: Request) -> int | None:
        async def counted(provider: Provider) -> int | None:
            return await provider.count_tokens(request) if isinstance(provider, CountsTokens) else None

        return await self._answered(counted)

    async def _streamed(self, request: Request) -> AsyncGenerator[Event, None]:
        has_begun = False
        while True:
            desk = self._choose()
            try:
                with desk.busy(self._clock()) as provider:
                    async with aclosing(_generator(provider.stream(request))) as events:
                        async for event in events:
                            has_begun = has_begun or is_of_the_answer(event)
                            yield event
                return
            except OF_THE_KEY as error:
                desk.rest(error, self._clock())
                if has_begun or self._all_rest():
                    raise
            yield Retried()

    async def _answered(self, ask: Callable[[Provider], Awaitable[Answer]]) -> Answer:
        while True:
            desk = self._choose()
            try:
                with desk.busy(self._clock()) as provider:
                    return await ask(provider)
            except OF_THE_KEY as error:
                desk.rest(error, self._clock())
                if self._all_rest():
                    raise

    def _choose(self) -> Desk:
        """The one with the least to do, each in turn; when all rest, the one that rests least."""
        at = self._clock()
        return min(self._desks, key=lambda desk: (max(desk.rests_until, at), desk.calls, desk.used_at))

    def _all_rest(self) -> bool:
        at = self._clock()
        return all(desk.rests_until > at for desk in self._desks)


async def _generator(events: AsyncIterator[Event]) -> AsyncGenerator[Event, None]:
    """The same events, so that whoever leaves early can close them."""
    try:
        async for event in events:
            yield event
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
