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

from app.accounts.groups import group_of
from app.catalog.access import FoundModel, find_model
from app.catalog.health import Sign
from app.catalog.opening import OpenProviders
from app.core.clock import now
from app.core.crypto import Vault
from app.core.database import Database
from app.core.settings import Settings
from app.gateway.metering import Meter, Receipt
from app.gateway.settling import Settlement, Settler
from app.gateway.spending import Permit, Purpose, Spending, need_of
from app.providers.base import Event, Request, Tool, Turn
from app.providers.errors import ContextTooLong, ModelGone, ProviderError, RequestRefused
from app.usage.estimates import tokens_in_turns
from app.usage.ledger import Entry
from app.usage.price_list import Offer
from app.usage.prices import price_at
from app.usage.pricing import Price
from app.usage.purses import Payer

SECONDS_TO_HANG_UP = 5
ABOUT_THE_REQUEST = (ContextTooLong, ModelGone, RequestRefused)
"""Errors that say nothing about the connection: the next request may be well."""


@dataclass(frozen=True)
class Call:
    """Who asks which model (`connection/model`) for what. `origin` names what it is for: `chat:<id>`, `api`."""

    user_id: str
    model: str
    turns: tuple[Turn, ...]
    origin: str
    max_output_tokens: int | None = None
    temperature: float | None = None
    tools: tuple[Tool, ...] = ()
    reasoning_effort: str | None = None
    streaming: bool = True
    api_key_id: str | None = None
    """The personal key that was used to ask, if one was."""


@dataclass(frozen=True)
class Terms:
    """Under what a call is made: its model, the price that holds while it lasts, who pays, and what limits it."""

    model: FoundModel
    price: Price | None
    purpose: Purpose


class Completion:
    """A running completion: iterate over it once for its events.

    Iterating raises a ProviderError when the provider fails. `receipt` is there as soon as the block that
    opened the completion is left, however that happens.
    """

    receipt: Receipt

    def __init__(self, events: AsyncIterator[Event], meter: Meter) -> None:
        self._events = events
        self._meter = meter

    def __aiter__(self) -> "Completion":
        return self

    async def __anext__(self) -> Event:
        try:
            event = await anext(self._events)
        except StopAsyncIteration:
            self._end()
            raise
        except ProviderError as error:
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
        self._settler = Settler(database)

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Completion]:
        """The completion of `call`; entered in the ledger however it ends, cancellation included.

        Raises catalog.access.ModelNotUsable, usage.refusals.OverBudget or TooFast, or a ProviderError. No database connection is
        held while it streams.
        """
        terms = await self._terms_of(call)
        provider = self.providers.provider_for(terms.model.target)
        request, permit = await self._permitted(_request(call, terms.model), terms)
        meter = Meter(tokens_in_turns(call.turns), terms.price, permit.output_tokens)
        events = provider.stream(request)
        completion = Completion(events, meter)
        try:
            yield completion
        finally:
            # Before any await: what comes after this line may be cancelled, the settlement may not.
            completion.receipt = meter.receipt()
            self._settler.hand_in(_settlement(call, terms, permit, completion.receipt, meter))
            self.spending.ended(permit)
            await _hang_up(events)

    async def run(self) -> None:
        """Write the ledger, again and again; a task of the server's."""
        await self._settler.run()

    async def flush(self) -> None:
        """Write what waits to be written, now."""
        await self._settler.flush()

    async def close(self) -> None:
        """Finish the books and hang up, when no call runs any more and before the database closes."""
        await self.flush()
        await self.providers.close()

    async def _terms_of(self, call: Call) -> Terms:
        async with self._database.reading() as session:
            model = await find_model(session, call.model, call.user_id)
            group = await group_of(session, call.user_id)
            payer = Payer(call.user_id, call.model, group.id if group else None, call.api_key_id)
            purpose = await self.spending.purpose(session, payer)
            return Terms(model, await price_at(session, _offer(model), purpose.at), purpose)

    async def _permitted(self, request: Request, terms: Terms) -> tuple[Request, Permit]:
        """The request as far as limits allow it. Raises usage.refusals.OverBudget or TooFast."""
        if not terms.purpose.purses:
            return request, Permit()
        permit = await self.spending.admit(terms.purpose, need_of(request, terms.model, terms.price))
        if permit.output_tokens is None:
            return request, permit
        return replace(request, max_output_tokens=permit.output_tokens), permit


def _offer(model: FoundModel) -> Offer:
    return Offer(model.connection, model.name, model.target.kind, model.target.base_url)


def _request(call: Call, model: FoundModel) -> Request:
    return Request(
        model=model.name,
        turns=call.turns,
        streaming=call.streaming,
        max_output_tokens=_output_limit(call, model),
        temperature=call.temperature,
        tools=call.tools,
        reasoning_effort=call.reasoning_effort,
        context_window=model.context_window,
    )


def _output_limit(call: Call, model: FoundModel) -> int | None:
    """At most what the model can write. Without a wish nothing is asked for: some vendors count a wish as
    use, and refuse what would exceed a minute's allowance."""
    if call.max_output_tokens is None or model.max_output_tokens is None:
        return call.max_output_tokens
    return min(call.max_output_tokens, model.max_output_tokens)


def _settlement(call: Call, terms: Terms, permit: Permit, receipt: Receipt, meter: Meter) -> Settlement:
    model, usage = terms.model, receipt.usage
    entry = Entry(
        # When it began: it counts to the period in which it was allowed.
        at=terms.purpose.at,
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
        group_id=terms.purpose.payer.group_id,
        api_key_id=call.api_key_id,
        cost_micros=receipt.charge.micros,
        price_source=receipt.charge.source,
        price=receipt.charge.rates,
    )
    return Settlement(entry, _sign(model, meter, now()), permit.call_id)


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
