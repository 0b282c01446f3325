"""The only door to generation: resolve the model, open its provider, meter what was used.

async with gateway.open(call) as completion:
    async for event in completion:
        ...
completion.receipt
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import anyio

from app.catalog.access import FoundModel
from app.catalog.health import Sign
from app.catalog.opening import OpenProviders
from app.core.clock import now
from app.core.crypto import Vault
from app.core.database import Database
from app.core.ids import new_id
from app.core.settings import Settings
from app.gateway.embedding import Embedded, EmbeddingCall, as_turns
from app.gateway.metering import Meter, Receipt
from app.gateway.running import Running, RunningCalls
from app.gateway.settling import Settlement, Settler
from app.gateway.spending import Purpose, Spending, need_of
from app.gateway.terms import TermsOfAll
from app.providers.base import (
    Event,
    Finished,
    FinishReason,
    Provider,
    Request,
    Retried,
    Turn,
    Usage,
    UsageReport,
)
from app.providers.errors import ContextTooLong, ModelGone, ProviderError, RequestRefused
from app.usage.estimates import most_tokens_in, tokens_in_turns
from app.usage.ledger import Entry
from app.usage.needs import Need
from app.usage.pricing import Price
from app.usage.purses import Payer
from app.usage.reservations import Hold

SECONDS_TO_HANG_UP = 5
ABOUT_THE_REQUEST = (ContextTooLong, ModelGone, RequestRefused)
"""Errors that say nothing about the connection: the next request may be well."""


@dataclass(frozen=True)
class Call:
    """Who asks for what; the request's model is `connection/model`. `origin`: what for, `chat:<id>` or `api`."""

    user_id: str
    request: Request
    origin: str
    api_key_id: str | None = None
    """The personal key that was used to ask, if one was."""
    claim: str = ""
    """What of the caller's keeps an account of the call, such as a reply's id.

    The caller then enters the completion's `settlement` into the books, together with rows of its own.
    """


@dataclass(frozen=True)
class Contract:
    """Under what one call is made: its model, the price that holds while it lasts, who pays, and what limits it."""

    model: FoundModel
    price: Price | None
    purpose: Purpose


class Completion:
    """A running completion: iterate over it once for its events.

    Iterating raises a ProviderError when the provider fails. `receipt` is there as soon as the block that
    opened the completion is left, however that happens; so is `settlement`, which is to be entered into the books
    with `settling.enter` where the call says so.
    """

    receipt: Receipt
    settlement: Settlement

    def __init__(self, events: AsyncIterator[Event], meter: Meter, model: str) -> None:
        self.model = model
        """The `connection/model` that answers."""
        self._events = events
        self._meter = meter
        self.is_over = False
        """Whether the provider has no more to say, or failed."""

    @property
    def attempts(self) -> int:
        """How often a provider was asked so far."""
        return self._meter.attempts

    def __aiter__(self) -> "Completion":
        return self

    async def __anext__(self) -> Event:
        # That it was tried again is for the ledger: whoever waits for the answer waits for its first event.
        while isinstance(event := await self._next(), Retried):
            pass
        return event

    async def _next(self) -> Event:
        try:
            event = await anext(self._events)
        except StopAsyncIteration:
            self.is_over = True
            self._end()
            raise
        except ProviderError as error:
            self.is_over = True
            self._meter.error = error
            raise
        self._meter.see(event)
        return event

    def _end(self) -> None:
        try:
            self._meter.ended()
        except ProviderError as error:
            self._meter.error = error
            raise


class Gateway:
    """One for each process. `run` keeps its books while the server runs; `close` finishes them."""

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database = database
        self.providers = OpenProviders(vault, settings)
        self.spending = Spending(database)
        self._terms = TermsOfAll(database)
        self.running = RunningCalls(database)
        self._settler = Settler(database)

    async def model(self, user_id: str, name: str) -> FoundModel:
        """The model `connection/model` for this person. Raises catalog.access.ModelNotUsable."""
        return (await self._terms.of(user_id, name)).model

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Completion]:
        """The completion of `call`; entered in the ledger however it ends, cancellation included.

        Raises catalog.access.ModelNotUsable, usage.refusals.OverBudget or TooFast, or a ProviderError. No database connection is
        held while it streams.
        """
        contract = await self._contract_for(call)
        provider = self.providers.provider_for(contract.model.target)
        asked = _sayable(provider, _asked_of(contract.model, call.request))
        request, hold = await self._permitted(asked, contract)
        meter = Meter(tokens_in_turns(request.turns), contract.price, hold.output_tokens)
        events = provider.stream(request)
        completion = Completion(events, meter, contract.model.full_name)
        running = self.running.begin(
            Running(hold, call.claim, meter.progress, lambda: _entry(call, contract, hold, meter.receipt()))
        )
        try:
            yield completion
        finally:
            # Before any await: what comes after this line may be cancelled, the settlement may not.
            self.running.end(running)
            completion.receipt = meter.receipt()
            entry, sign = (
                _entry(call, contract, hold, completion.receipt),
                _sign(contract.model, meter, now()),
            )
            completion.settlement = Settlement(entry, sign, hold, contract.purpose.book, running.is_noted)
            if not call.claim:
                self._settler.hand_in(completion.settlement)
            self.spending.ended(hold)
            if not completion.is_over:
                await _hang_up(events)

    async def embed(self, call: EmbeddingCall) -> Embedded:
        """The vectors of `call`, entered in the ledger. Raises like `open`."""
        turns = as_turns(call.request)
        asked = Call(call.user_id, Request(call.request.model, turns), call.origin, call.api_key_id)
        contract = await self._contract_for(asked)
        provider = self.providers.provider_for(contract.model.target)
        hold = await self._permitted_to_read(turns, contract)
        meter = Meter(tokens_in_turns(turns), contract.price, most_output=0)
        try:
            found = await provider.embed(replace(call.request, model=contract.model.name))
            meter.see(UsageReport(found.usage or Usage(tokens_in_turns(turns), 0)))
            meter.see(Finished(FinishReason.STOP))
        except ProviderError as error:
            meter.error = error
            raise
        finally:
            receipt = meter.receipt()
            entry, sign = _entry(asked, contract, hold, receipt), _sign(contract.model, meter, now())
            self._settler.hand_in(Settlement(entry, sign, hold, contract.purpose.book))
            self.spending.ended(hold)
        return Embedded(found, contract.model.full_name, receipt)

    async def begin(self, *, is_alone: bool) -> None:
        """Enter what an earlier run left unsettled, unless other processes may be at it."""
        if is_alone:
            await self.spending.clear_up()

    async def run(self) -> None:
        """Write the ledger, again and again; a task of the server's."""
        await self._settler.run()

    async def flush(self) -> None:
        """Write what waits to be written, now."""
        await self._settler.flush()

    async def close(self) -> None:
        """Finish the books and hang up, when no call runs any more and before the database closes."""
        await self.flush()
        await self.spending.close()
        await self.providers.close()

    async def _contract_for(self, call: Call) -> Contract:
        terms = await self._terms.of(call.user_id, call.request.model)
        payer = Payer(call.user_id, terms.model.full_name, terms.group_id, call.api_key_id)
        purpose = await self.spending.purpose(payer)
        return Contract(terms.model, terms.price_at(purpose.at), purpose)

    async def _permitted_to_read(self, turns: tuple[Turn, ...], contract: Contract) -> Hold:
        if not contract.purpose.purses:
            return Hold(new_id())
        return await self.spending.admit(contract.purpose, _reading(turns, contract.price))

    async def _permitted(self, request: Request, contract: Contract) -> tuple[Request, Hold]:
        """The request as far as limits allow it. Raises usage.refusals.OverBudget or TooFast."""
        if not contract.purpose.purses:
            return request, Hold(new_id())
        hold = await self.spending.admit(contract.purpose, need_of(request, contract.model, contract.price))
        if hold.output_tokens is None:
            return request, hold
        # A provider that is told no more than this can write no more, with each of several answers.
        return replace(request, max_output_tokens=max(1, hold.output_tokens // request.choices)), hold


def _asked_of(model: FoundModel, request: Request) -> Request:
    """The request as the model's provider is asked."""
    return replace(
        request,
        model=model.name,
        max_output_tokens=_output_limit(request, model),
        context_window=model.context_window,
    )


def _reading(turns: tuple[Turn, ...], price: Price | None) -> Need:
    """What it takes to read these, and to write nothing."""
    return Need(most_tokens_in(turns, ()), tokens_in_turns(turns), 0, price)


def _sayable(provider: Provider, request: Request) -> Request:
    """The request for this provider, which may not speak the client's language. Raises RequestRefused."""
    if request.passage is not None and request.passage.dialect in provider.dialects:
        return request
    if request.beyond and not request.is_lenient:
        raise RequestRefused(
            f"`{request.beyond[0]}` cannot be said in the language of this model's provider.",
            "Leave it out, choose another model, or send the header x-parley-drop-unsupported: true.",
            parameter=request.beyond[0],
        )
    if request.choices > 1:
        raise RequestRefused(
            "This model's provider gives one answer at a time.", "Ask once for each answer.", parameter="n"
        )
    return replace(request, passage=None)


def _output_limit(request: Request, model: FoundModel) -> int | None:
    """At most what the model can write. Without a wish nothing is asked for: some vendors count a wish as
    use, and refuse what would exceed a minute's allowance."""
    if request.max_output_tokens is None or model.max_output_tokens is None:
        return request.max_output_tokens
    return min(request.max_output_tokens, model.max_output_tokens)


def _entry(call: Call, contract: Contract, hold: Hold, receipt: Receipt) -> Entry:
    model, usage = contract.model, receipt.usage
    return Entry(
        id=hold.call_id,
        # When it began: it counts to the period in which it was allowed.
        at=contract.purpose.at,
        user_id=call.user_id,
        connection=model.connection,
        model=model.name,
        origin=call.origin,
        input_tokens=usage.input,
        output_tokens=usage.output,
        is_estimate=receipt.is_estimate,
        outcome=receipt.outcome,
        total_ms=receipt.total_ms,
        first_token_ms=receipt.first_token_ms,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        reasoning_tokens=usage.reasoning,
        error_code=receipt.error_code,
        group_id=contract.purpose.payer.group_id,
        api_key_id=call.api_key_id,
        cost_micros=receipt.charge.micros,
        price_source=receipt.charge.source,
        price=receipt.charge.rates,
        attempts=receipt.attempts,
    )


def _sign(model: FoundModel, meter: Meter, at: datetime) -> Sign | None:
    error = meter.error
    if error is None:
        return Sign(model.target, at) if meter.got_through else None
    return None if isinstance(error, ABOUT_THE_REQUEST) else Sign(model.target, at, error)


async def _hang_up(events: AsyncIterator[Event]) -> None:
    """Close the provider's stream, which ends the upstream call, even while this task is being cancelled."""
    if isinstance(events, AsyncGenerator):
        with anyio.move_on_after(SECONDS_TO_HANG_UP, shield=True):
            await events.aclose()
