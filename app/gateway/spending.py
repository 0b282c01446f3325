"""The gate before every call: what limits allow is held for it, and what they do not allow is refused.

The list of budgets is kept in memory (see `core.changes`), and so is a part of what they have left (see
`usage.allotments`): in the ordinary case a call needs no database for this.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from app.catalog.access import FoundModel
from app.core.changes import Kept
from app.core.clock import now
from app.core.database import Database
from app.core.database_errors import AWAY
from app.core.errors import ParleyError
from app.core.ids import new_id
from app.logs import Log
from app.providers.base import Request
from app.usage import budgets, counters, open_calls, refusals
from app.usage.admission import Admission
from app.usage.allotments import LEASE
from app.usage.estimates import MOST_TOKENS_PER_IMAGE, most_tokens_in, room_for_answer, tokens_in_turns
from app.usage.models import Unit
from app.usage.needs import Need, NoPrice, NoRoom
from app.usage.pricing import Price
from app.usage.purses import Book, Payer, Purse
from app.usage.refusals import Refused
from app.usage.reservations import Hold, expire
from app.values import value

SECONDS_BETWEEN_LOOKS = 0.25
"""So soon is noticed that something lies idle or is needed elsewhere."""
SECONDS_BETWEEN_ROUNDS = 30.0
"""Well within a reservation's lease."""
ABANDONED_AFTER = timedelta(minutes=1)
"""A call whose process gave no sign of life for so long is over."""
ASSUMED_OUTPUT = 8_192
"""Tokens. What a model whose provider names no maximum may write under a budget."""

log = Log("spending")


@value
class Purpose:
    """A call that is about to be made: who pays, since when it is under way, and which limits concern it."""

    payer: Payer
    at: datetime
    purses: Sequence[Purse]
    book: Book

    @property
    def is_limited_in_money(self) -> bool:
        return any(purse.budget.unit == Unit.USD for purse in self.purses)


class Spending:
    """One for each process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._books = Kept(database.changes, self._read_book)
        self._admission = Admission(database)
        self._running: set[str] = set()

    async def purpose(self, payer: Payer) -> Purpose:
        """What limits a call of this payer that begins now."""
        book, at = await self._books.get(None), now()
        return Purpose(payer, at, book.binding(payer, at), book)

    async def admit(self, purpose: Purpose, need: Need) -> Hold:
        """Hold what the call needs. Raises refusals.OverBudget or refusals.TooFast."""
        try:
            hold = await self._admission.admit(new_id(), purpose.purses, need)
        except (NoRoom, NoPrice) as reason:
            raise await self._refusal(purpose, need, reason) from None
        if hold.is_kept:
            self._running.add(hold.call_id)
        return hold

    def ended(self, hold: Hold) -> None:
        """The call is over: its settlement gives back what it holds."""
        self._running.discard(hold.call_id)

    async def look_after(self) -> None:
        """Give back what this process does not use of limits, and get more of what it needs: one round."""
        await self._admission.look_after()

    async def renew(self) -> None:
        """Renew what this process holds: one round."""
        async with self._database.writing() as session:
            await self._admission.renew(session, self._running)

    async def clear_up_after_others(self) -> None:
        """Free what killed processes held, and enter what they were calling: one round."""
        # In transactions of their own: each locks in the order that everybody keeps to, all together would not.
        await self._enter_abandoned(before=now() - ABANDONED_AFTER)
        async with self._database.writing() as session:
            if freed := await expire(session, now()):
                log.warning("reservations_expired", calls=freed)
        async with self._database.writing() as session:
            await counters.forget_old_minutes(session, now())

    async def clear_up(self) -> None:
        """Enter what an earlier run of the only process left: all that is held and under way is from then."""
        await self._enter_abandoned()
        async with self._database.writing() as session:
            await expire(session, now() + 2 * LEASE)

    async def close(self) -> None:
        """Give back everything: no call runs any more."""
        await self._admission.close()

    async def _enter_abandoned(self, before: datetime | None = None) -> None:
        """Before what they held is freed: nobody is to spend it in between."""
        try:
            async with self._database.writing() as session:
                await open_calls.enter_abandoned(session, before=before)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001  (what the database refuses there keeps nobody from their work)
            log.error("abandoned_calls_not_entered", raised=error)

    async def _read_book(self, _: None) -> Book:
        async with self._database.reading() as session:
            return await budgets.read_book(session)

    async def _refusal(self, purpose: Purpose, need: Need, reason: NoRoom | NoPrice) -> ParleyError:
        refused = Refused(purpose.payer, purpose.at, need, await self._books.get(None))
        async with self._database.reading() as session:
            if isinstance(reason, NoPrice):
                return await refusals.no_price(session, refused, reason.budget)
            return await refusals.no_room(session, refused, reason)


def need_of(request: Request, model: FoundModel, price: Price | None) -> Need:
    """The most that the call can use. What is told to the provider as its limit cannot be exceeded."""
    most_input = _most_input(request)
    return Need(
        input_tokens=most_input,
        likely_input=tokens_in_turns(request.turns),
        output_tokens=(request.max_output_tokens or _most_output(model, most_input)) * request.choices,
        price=price,
    )


def _most_input(request: Request) -> int:
    """No vendor makes more tokens than there are bytes, wherever they stand in a document that is passed on."""
    most = most_tokens_in(request.turns, request.tools)
    if request.response_format is not None:
        most += len(orjson.dumps(request.response_format.schema))
    if request.passage is None:
        return most
    images = sum(len(turn.all_images) for turn in request.turns)
    return max(most, request.passage.size + images * MOST_TOKENS_PER_IMAGE)


def _most_output(model: FoundModel, most_input: int) -> int:
    """As much as the model can write; in its window there is always as much room as was kept free for an answer."""
    most = model.max_output_tokens or ASSUMED_OUTPUT
    if model.context_window is None:
        return most
    return min(most, max(model.context_window - most_input, room_for_answer(model.context_window)))
