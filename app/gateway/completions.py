"""One completion while it runs: of the models that may answer the first that does, as one stream of events."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace

import anyio

from app.gateway.contracts import Contract
from app.gateway.metering import Meter, Receipt
from app.gateway.running import Running
from app.gateway.settling import Settlement
from app.gateway.watching import Watch
from app.logs import Log
from app.providers.errors import ContextTooLong, ProviderError, RequestRefused
from app.providers.events import Event, Finished, FinishReason, Retried, is_of_the_answer
from app.usage.ledger import Entry
from app.usage.models import BEYOND_LIMIT, Outcome
from app.usage.needs import Need
from app.usage.reservations import Hold

log = Log("completions")

SECONDS_TO_HANG_UP = 5
MET_ANYWHERE = (ContextTooLong, RequestRefused)
"""Errors for which no other model is asked: they are about what was sent."""


class Attempt:
    """One model that is asked; its meter sees every event.

    `need` is what was held for it, None where no hard limit counts what it writes.
    """

    def __init__(
        self,
        contract: Contract,
        hold: Hold,
        events: AsyncIterator[Event],
        meter: Meter,
        running: Running,
        need: Need | None = None,
        *,
        is_streaming: bool = True,
    ) -> None:
        self.contract = contract
        self.hold = hold
        self.meter = meter
        self.running = running
        self.need = need
        # An answer that comes as a whole was written before anybody could interrupt it.
        self.watch = Watch(hold.output_tokens or 0) if need is not None and is_streaming else None
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

    def truthful(self, receipt: Receipt) -> Receipt:
        """As it is entered: what a provider reports beyond what was held is entered all the same, and marked."""
        if self.need is None or receipt.outcome is not Outcome.FINISHED:
            return receipt
        usage, output = receipt.usage, self.hold.output_tokens or 0
        if not self.need.is_exceeded_by(usage, receipt.charge.micros, output):
            return receipt
        model = self.contract.model.full_name
        log.warning("billed_beyond_limit", model=model, output=usage.output, paid_for=output)
        return replace(receipt, error_code=BEYOND_LIMIT)

    async def cut_off(self) -> str:
        """Hang up because more came than was paid for; a sentence that says so."""
        self.meter.is_cut_off = True
        await self.hang_up()
        most = self.hold.output_tokens or 0
        log.warning("answer_cut_off", model=self.contract.model.full_name, paid_for=most)
        return (
            f"This answer was cut off: a budget paid for {most:,} tokens of it, "
            "and the provider did not end it there as it was told."
        )

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
    where everything is entered already. `earlier` was entered for models that were asked in vain. `cut_off` is a
    sentence where the gateway hung up on a provider that wrote on beyond what a hard limit paid for.
    """

    receipt: Receipt
    settlement: Settlement | None = None

    def __init__(self, attempt: Attempt, earlier: list[Entry], go_on: GoOn) -> None:
        self.attempt = attempt
        self.earlier = earlier
        self.cut_off = ""
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
            watch = self.attempt.watch
            if watch is not None and watch.is_exceeded:
                return await self._cut_off()
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
            if watch is not None:
                watch.see(event)
            # That it was tried again is for the ledger: whoever waits for the answer waits for its first event.
            if type(event) is not Retried:
                self._has_begun = self._has_begun or is_of_the_answer(event)
                return event

    async def _cut_off(self) -> Event:
        if self.cut_off:
            raise StopAsyncIteration
        self.cut_off = await self.attempt.cut_off()
        return Finished(FinishReason.LENGTH)

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
