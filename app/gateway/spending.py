"""The gate before every call: what limits allow is reserved, and what they do not allow is refused.

The list of budgets is kept in memory, so that a call that none of them concerns needs no database for this. It
is read again at once when this process or, on PostgreSQL, another one changed it, and at most a second later
when only the database knows (the command line).
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.access import FoundModel
from app.core.clock import now
from app.core.database import Database
from app.core.errors import ParleyError
from app.core.ids import new_id
from app.live.hub import Hub, Lagged
from app.providers.base import Request
from app.usage import budgets, counters, refusals
from app.usage.estimates import most_tokens_in, room_for_answer, tokens_in_turns
from app.usage.pricing import Price
from app.usage.purses import Book, Payer, Purse
from app.usage.refusals import Refused
from app.usage.reservations import Need, NoPrice, NoRoom, expire, renew, reserve

SECONDS_A_BOOK_IS_TRUSTED = 1.0
SECONDS_BETWEEN_ROUNDS = 30.0
"""Well within a reservation's lease."""
ASSUMED_OUTPUT = 8_192
"""Tokens. What a model whose provider names no maximum may write under a budget."""

log = structlog.get_logger("parley.spending")


@dataclass(frozen=True)
class Permit:
    """Leave to make a call. `call_id` is under what its reservation is kept; None: nothing is reserved.

    `output_tokens` is the most that it may write; None: as much as it was asked for.
    """

    call_id: str | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class Purpose:
    """A call that is about to be made: who pays, since when it is under way, and which limits concern it."""

    payer: Payer
    at: datetime
    purses: list[Purse]


class Spending:
    """One for each process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = Book()
        self._read_at = float("-inf")
        self._running: set[str] = set()

    async def purpose(self, session: AsyncSession, payer: Payer) -> Purpose:
        """What limits a call of this payer that begins now."""
        if time.monotonic() - self._read_at > SECONDS_A_BOOK_IS_TRUSTED:
            read_at = time.monotonic()
            self._book, self._read_at = await budgets.read_book(session), read_at
        at = now()
        return Purpose(payer, at, self._book.binding(payer, at))

    async def admit(self, purpose: Purpose, need: Need) -> Permit:
        """Reserve what the call needs. Raises refusals.OverBudget or refusals.TooFast."""
        try:
            purses = [purse for purse in purpose.purses if need.amount(purse.budget, need.output_tokens) > 0]
            if not purses:
                return Permit()
            call_id = new_id()
            # Cut off in the middle, what was reserved is free again when its lease ends.
            output_tokens = await reserve(self._database, call_id, purses, need)
        except (NoRoom, NoPrice) as reason:
            raise await self._refusal(purpose, need, reason) from None
        self._running.add(call_id)
        return Permit(call_id, output_tokens)

    def ended(self, permit: Permit) -> None:
        """The call is over: its settlement gives back what it holds."""
        self._running.discard(permit.call_id or "")

    async def follow(self, hub: Hub) -> None:
        """Read the budgets again as soon as they changed; runs until cancelled."""
        with hub.subscribe(budgets.STREAM) as changes:
            while True:
                with suppress(Lagged):
                    await changes.next()
                self._read_at = float("-inf")

    async def keep_alive(self) -> None:
        """Renew what running calls hold, and free what killed processes held: one round."""
        async with self._database.writing() as session:
            if self._running:
                await renew(session, tuple(self._running))
            if freed := await expire(session, now()):
                log.warning("reservations_expired", calls=freed)
            await counters.forget_old_minutes(session, now())

    async def _refusal(self, purpose: Purpose, need: Need, reason: NoRoom | NoPrice) -> ParleyError:
        refused = Refused(purpose.payer, purpose.at, need, self._book)
        async with self._database.reading() as session:
            if isinstance(reason, NoPrice):
                return await refusals.no_price(session, refused, reason.budget)
            return await refusals.no_room(session, refused, reason)


def need_of(request: Request, model: FoundModel, price: Price | None) -> Need:
    """The most that the call can use. What is told to the provider as its limit cannot be exceeded."""
    most_input = most_tokens_in(request.turns, request.tools)
    return Need(
        input_tokens=most_input,
        likely_input=tokens_in_turns(request.turns),
        output_tokens=request.max_output_tokens or _most_output(model, most_input),
        price=price,
    )


def _most_output(model: FoundModel, most_input: int) -> int:
    """As much as the model can write; in its window there is always as much room as was kept free for an answer."""
    most = model.max_output_tokens or ASSUMED_OUTPUT
    if model.context_window is None:
        return most
    return min(most, max(model.context_window - most_input, room_for_answer(model.context_window)))
