"""The only door to generation: find who may answer, open a provider, meter what was used.

async with gateway.open(call) as completion:
    async for event in completion:
        ...
completion.receipt
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

from app.catalog.access import FoundModel
from app.catalog.opening import OpenProviders
from app.core.clock import now
from app.core.crypto import Vault
from app.core.database import Database
from app.core.database_errors import AWAY
from app.core.errors import ParleyError
from app.core.ids import new_id
from app.core.settings import Settings
from app.gateway.circuit import Circuits
from app.gateway.completions import Attempt, Completion
from app.gateway.contracts import Call, Contract, asked_of, entry_of, refuse_blind, sayable, sign_of
from app.gateway.embedding import Embedded, EmbeddingCall, as_turns
from app.gateway.metering import Meter, Receipt
from app.gateway.routing import EVERYTHING, Route, Routes
from app.gateway.running import Running, RunningCalls
from app.gateway.settling import Settlement, Settler
from app.gateway.spending import Spending, need_of
from app.gateway.terms import Terms
from app.gateway.watching import watched
from app.providers.base import Request, Turn
from app.providers.counting import CountsTokens
from app.providers.errors import ProviderError
from app.providers.events import Finished, FinishReason, UsageReport
from app.usage.estimates import most_tokens_in, tokens_in_turns
from app.usage.ledger import Entry
from app.usage.needs import Need
from app.usage.pricing import Price
from app.usage.purses import Payer
from app.usage.reservations import Hold

__all__ = ["Call", "Completion", "Gateway"]


class Gateway:
    """One for each process. `run` keeps its books while the server runs; `close` finishes them."""

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database = database
        self.providers = OpenProviders(vault, settings)
        self.spending = Spending(database)
        self.circuits = Circuits()
        self._routes = Routes(database, self.circuits)
        self.running = RunningCalls(database)
        self._settler = Settler(database)
        self._allows_billed_tools = settings.allow_billed_tools

    async def model(self, user_id: str, name: str) -> FoundModel:
        """The model that answers this person to `name` first. Raises catalog.access.ModelNotUsable."""
        return (await self._routes.of(user_id, name)).first.model

    async def routes(self, user_id: str, name: str, allowed: frozenset[str] = EVERYTHING) -> Route:
        """Where a call for `name` goes, first to last; see `routing.Routes.of`."""
        return await self._routes.of(user_id, name, allowed)

    async def window(self, user_id: str, name: str) -> int | None:
        """The context window of whatever answers to `name`, in tokens. Raises catalog.access.ModelNotUsable."""
        return (await self._routes.plan(user_id, name)).context_window

    async def count_tokens(self, call: Call) -> int | None:
        """How many tokens `call` is to the model that is asked first; None where its provider does not tell.

        Free of charge, and therefore not in the ledger. Raises catalog.access.ModelNotUsable.
        """
        terms = await self._routes.first_of(call.user_id, call.request.model, call.allowed_models)
        target = terms.model.target
        if not self.circuits.is_ready(target):
            return None
        try:
            provider = self.providers.provider_for(target)
            if not isinstance(provider, CountsTokens):
                return None
            return await provider.count_tokens(asked_of(terms.model, call.request))
        except ProviderError:
            # An estimate serves whoever asks better than an error.
            return None

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Completion]:
        """The completion of `call`; entered in the ledger however it ends, cancellation included.

        Raises catalog.access.ModelNotUsable, usage.refusals.OverBudget or TooFast, or a ProviderError. No database
        connection is held while it streams.
        """
        route = await self._routes.of(call.user_id, call.request.model, call.allowed_models)
        candidates = list(route.candidates)
        earlier: list[Entry] = []

        # It must not refer to the completion, which holds it: both would be left to the garbage collector.
        async def go_on(failed: Attempt, error: ProviderError) -> Attempt | None:
            if not candidates:
                return None
            failed.meter.error = error
            settlement = self._settled(call, failed, failed.meter.receipt())
            earlier.append(settlement.entry)
            await self._leave(failed, settlement)
            return await self._elsewhere(call, candidates)

        completion = Completion(await self._first(call, candidates), earlier, go_on)
        try:
            yield completion
        finally:
            # Before any await: what comes after this line may be cancelled, the settlement may not.
            last = completion.attempt
            completion.receipt = last.meter.receipt()
            if not last.is_settled:
                completion.settlement = self._settled(call, last, completion.receipt)
                if not call.claim:
                    self._settler.hand_in(completion.settlement)
            await last.hang_up()

    async def embed(self, call: EmbeddingCall) -> Embedded:
        """The vectors of `call`, entered in the ledger. Raises like `open`.

        Of an alias only the first model is asked: vectors of two models cannot be compared.
        """
        turns = as_turns(call.request)
        asked = Call(
            call.user_id,
            Request(call.request.model, turns),
            call.origin,
            call.api_key_id,
            allowed_models=call.allowed_models,
        )
        terms = await self._routes.first_of(call.user_id, call.request.model, call.allowed_models)
        contract = await self._contract_of(asked, terms)
        provider = self.providers.provider_for(contract.model.target)
        hold = await self._permitted_to_read(turns, contract)
        meter = Meter(tokens_in_turns(turns), contract.price, most_output=0)
        running = self._noted(asked, contract, hold, meter)
        try:
            found = await provider.embed(replace(call.request, model=contract.model.name))
            meter.see(UsageReport(found.usage))
            meter.see(Finished(FinishReason.STOP))
        except ProviderError as error:
            meter.error = error
            raise
        finally:
            receipt = meter.receipt()
            entry, sign = entry_of(asked, contract, hold, receipt), sign_of(contract.model, meter, now())
            self.running.end(running)
            self.spending.ended(hold)
            book = contract.purpose.book
            self._settler.hand_in(Settlement(entry, sign, hold, book, running.is_noted))
        return Embedded(found, contract.model.full_name, receipt)

    def enter(self, settlement: Settlement) -> None:
        """Enter a call of which its caller can keep no account after all; see `Call.claim`."""
        self._settler.hand_in(settlement)

    async def begin(self, *, is_alone: bool) -> None:
        """Enter what an earlier run left unsettled, unless other processes may be at it."""
        if is_alone:
            await self.spending.clear_up()

    async def run(self) -> None:
        """Write the ledger, again and again; a task of the server's."""
        await self._settler.run()

    async def keep_alive(self) -> None:
        """Show that the calls of this process are alive, and clear up after killed ones: one round."""
        await self.spending.renew()
        # Before it is looked for dead ones: after a stall they seem dead to everybody, this process included.
        await self.running.note_overdue()
        await self.spending.clear_up_after_others()

    async def flush(self) -> None:
        """Write what waits to be written, now."""
        await self._settler.flush()

    async def close(self) -> None:
        """Finish the books and hang up, when no call runs any more and before the database closes."""
        async with AsyncExitStack() as at_the_end:
            at_the_end.push_async_callback(self.providers.close)
            at_the_end.push_async_callback(self.spending.close)
            await self._settler.finish()

    async def _first(self, call: Call, candidates: list[Terms]) -> Attempt:
        """Ask the first of these that can be asked, such as one that has its key; it is taken out."""
        while len(candidates) > 1:
            with suppress(ProviderError):
                return await self._ask(call, candidates.pop(0))
        return await self._ask(call, candidates.pop(0))

    async def _elsewhere(self, call: Call, candidates: list[Terms]) -> Attempt | None:
        """Ask the first of these that can be asked and that limits allow."""
        while candidates:
            with suppress(ProviderError, ParleyError):
                return await self._ask(call, candidates.pop(0))
        return None

    async def _ask(self, call: Call, terms: Terms) -> Attempt:
        """Raises usage.refusals.OverBudget or TooFast, or a ProviderError."""
        refuse_blind(terms.model, call.request)
        contract = await self._contract_of(call, terms)
        provider = self.providers.provider_for(contract.model.target)
        limited = bool(contract.purpose.purses)
        asked = sayable(
            provider,
            asked_of(contract.model, call.request, at_usual_price=contract.purpose.is_limited_in_money),
            is_limited=limited,
            allows_billed_tools=self._allows_billed_tools,
        )
        need = need_of(asked, contract.model, contract.price) if limited else None
        request, hold = await self._permitted(asked, contract, need)
        meter = Meter(
            tokens_in_turns(request.turns),
            contract.price,
            hold.output_tokens,
            sees_all=request.passage is None or request.passage.billed_apart is None,
        )
        running = self._noted(call, contract, hold, meter)
        self.circuits.begin(contract.model.target)
        stream, counted = provider.stream(request), watched(contract.purpose, need)
        return Attempt(contract, hold, stream, meter, running, counted, is_streaming=request.streaming)

    def _noted(self, call: Call, contract: Contract, hold: Hold, meter: Meter) -> Running:
        """From here on the database hears of the call, in case this process is killed."""
        return self.running.begin(
            Running(hold, call.claim, meter.progress, lambda: entry_of(call, contract, hold, meter.receipt()))
        )

    async def _leave(self, failed: Attempt, settlement: Settlement) -> None:
        """Enter an attempt that failed, so that what it holds is there for the next."""
        self._settler.hand_in(settlement)
        await failed.hang_up()
        if failed.hold.draws or failed.hold.is_kept:
            # What cannot be written now keeps waiting.
            with suppress(*AWAY):
                await self._settler.flush()

    def _settled(self, call: Call, attempt: Attempt, receipt: Receipt) -> Settlement:
        attempt.is_settled = True
        contract, hold, meter = attempt.contract, attempt.hold, attempt.meter
        receipt = attempt.truthful(receipt)
        self.running.end(attempt.running)
        self.spending.ended(hold)
        self.circuits.ended(contract.model.target, meter.error, was_heard=meter.got_through)
        return Settlement(
            entry_of(call, contract, hold, receipt),
            sign_of(contract.model, meter, now()),
            hold,
            contract.purpose.book,
            attempt.running.is_noted,
        )

    async def _contract_of(self, call: Call, terms: Terms) -> Contract:
        payer = Payer(call.user_id, terms.model.full_name, terms.group_id, call.api_key_id)
        purpose = await self.spending.purpose(payer)
        return Contract(terms.model, terms.price_at(purpose.at), purpose)

    async def _permitted_to_read(self, turns: tuple[Turn, ...], contract: Contract) -> Hold:
        if not contract.purpose.purses:
            return Hold(new_id())
        return await self.spending.admit(contract.purpose, _reading(turns, contract.price))

    async def _permitted(
        self, request: Request, contract: Contract, need: Need | None
    ) -> tuple[Request, Hold]:
        """The request as far as limits allow it. Raises usage.refusals.OverBudget or TooFast."""
        if need is None:
            return request, Hold(new_id())
        hold = await self.spending.admit(contract.purpose, need)
        if hold.output_tokens is None:
            return request, hold
        # A provider that is told no more than this can write no more, with each of several answers.
        return request.but(max_output_tokens=max(1, hold.output_tokens // request.choices)), hold


def _reading(turns: tuple[Turn, ...], price: Price | None) -> Need:
    """What it takes to read these, and to write nothing."""
    return Need(most_tokens_in(turns, ()), tokens_in_turns(turns), 0, price)
