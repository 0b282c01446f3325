"""One completion while it runs: of the models that may answer the first that does, as one stream of events."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import anyio

from app.gateway.contracts import Contract
from app.gateway.metering import Meter, Receipt
from app.gateway.running import Running
from app.gateway.settling import Settlement
from app.providers.base import Event, Retried, is_of_the_answer
from app.providers.errors import ContextTooLong, ProviderError, RequestRefused
from app.usage.ledger import Entry
from app.usage.reservations import Hold

SECONDS_TO_HANG_UP = 5
MET_ANYWHERE = (ContextTooLong, RequestRefused)
"""Errors for which no other model is asked: they are about what was sent."""


class Attempt:
    """One model that is asked; its meter sees every event."""

    def __init__(
        self, contract: Contract, hold: Hold, events: AsyncIterator[Event], meter: Meter, running: Running
    ) -> None:
        self.contract = contract
        self.hold = hold
        self.meter = meter
        self.running = running
        self.is_settled = False
        self._events = events
        self._is_over = False

    async def next(self) -> Event:
        """Raises a ProviderError when the provider fails, or ends too early."""
        try:
            event = await anext(self._events)
        except StopAsyncIteration:
            self._is_over = True
            self._end()
            raise
        except ProviderError as error:
            self._is_over = True
            self.meter.error = error
            raise
        return event

    async def hang_up(self) -> None:
        """Close the provider's stream, which ends the upstream call, even while this task is being cancelled."""
        if isinstance(self._events, AsyncGenerator) and not self._is_over:
            with anyio.move_on_after(SECONDS_TO_HANG_UP, shield=True):
                await self._events.aclose()

    def _end(self) -> None:
        try:
            self.meter.ended()
        except ProviderError as error:
            self.meter.error = error
            raise


GoOn = Callable[[Attempt, ProviderError], Awaitable[Attempt | None]]
"""The attempt at another model in place of one that failed; None where there is none to be asked."""


class Completion:
    """A running completion: iterate over it once for its events.

    Iterating raises a ProviderError when the provider fails. As long as nothing of an answer came, the next model
    that may answer is asked instead.

    `receipt` is there as soon as the block that opened the completion is left, however that happens; so is
    `settlement`, which is to be entered into the books with `settling.enter` where the call says so. It is None
    where everything is entered already. `earlier` was entered for models that were asked in vain.
    """

    receipt: Receipt
    settlement: Settlement | None = None

    def __init__(self, attempt: Attempt, go_on: GoOn) -> None:
        self.attempt = attempt
        self.earlier: list[Entry] = []
        self._go_on = go_on
        self._attempts_before = 0
        self._has_begun = False

    @property
    def model(self) -> str:
        """The `connection/model` that answers, or was asked last."""
        return self.attempt.contract.model.full_name

    @property
    def attempts(self) -> int:
        """How often a provider was asked so far."""
        return self._attempts_before + self.attempt.meter.attempts

    def __aiter__(self) -> "Completion":
        return self

    async def __anext__(self) -> Event:
        while True:
            try:
                event = await self.attempt.next()
            except ProviderError as error:
                if not await self._goes_on(error):
                    raise
                continue
            # Rather than wait until it is tried again.
            if type(event) is Retried and event.error and await self._goes_on(event.error):
                continue
            self.attempt.meter.see(event)
            # That it was tried again is for the ledger: whoever waits for the answer waits for its first event.
            if type(event) is not Retried:
                self._has_begun = self._has_begun or is_of_the_answer(event)
                return event

    async def _goes_on(self, error: ProviderError) -> bool:
        """Whether another model is asked in place of this one."""
        if self._has_begun or isinstance(error, MET_ANYWHERE):
            return False
        failed = self.attempt
        attempt = await self._go_on(failed, error)
        if attempt is None:
            return False
        self._attempts_before += failed.meter.attempts
        self.attempt = attempt
        return True
