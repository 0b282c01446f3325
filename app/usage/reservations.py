"""Reserve, then settle: before a call the most that it can use is held of each purse; afterwards it is given back.

Nobody can take what somebody else holds: purses are locked, looked at, and held of in one transaction. On
SQLite there is one writer at a time, on PostgreSQL the counters' rows are locked.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.core.database import Database
from app.usage import counters
from app.usage.budgets import read_book
from app.usage.counters import Change, Standing
from app.usage.ledger import Entry
from app.usage.models import Budget, Period, Reservation, Unit
from app.usage.pricing import Price, highest_cost
from app.usage.purses import Purse, PurseKey

RESERVATIONS: Table = Reservation.__table__  # type: ignore[assignment]

LEASE = timedelta(minutes=2)
"""Who runs a call renews what it holds in time; what a killed process held is free again after this."""
LEAST_OUTPUT = 256
"""Tokens. When no more than this can be paid for, an answer is not worth beginning."""
GENEROUS_OUTPUT = 4_096
"""Tokens. A call that cannot have its whole maximum leaves half to others, as long as it still gets this much."""


class NoRoom(Exception):
    """What is left does not pay for the call. `standing` is the purse that has too little."""

    def __init__(self, standing: Standing, needed: int) -> None:
        super().__init__()
        self.standing = standing
        self.needed = needed

    @property
    def is_held_by_others(self) -> bool:
        """Whether it would fit if all running calls ended without using anything."""
        return self.needed <= self.standing.left + self.standing.reserved


class NoPrice(Exception):
    """The model has no price, and a budget counts money: a limit that cannot be counted cannot hold."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self.budget = budget


@dataclass(frozen=True)
class Need:
    """The most that a call can use.

    `input_tokens` is more than any vendor will count, `likely_input` about what it will. `output_tokens` is
    the maximum that the provider is told.
    """

    input_tokens: int
    likely_input: int
    output_tokens: int
    price: Price | None

    def amount(self, budget: Budget, output: int) -> int:
        """How much of a budget it needs to write up to `output` tokens. Raises NoPrice."""
        match budget.unit:
            case Unit.USD:
                if self.price is None:
                    raise NoPrice(budget)
                return highest_cost(self.price, self.input_tokens, output)
            case Unit.TOKENS if budget.period == Period.MINUTE:
                # A rate is no purse: answers count when they are written, and are not cut short for it.
                return self.likely_input
            case Unit.TOKENS:
                return self.input_tokens + output
            case _:
                return 1


async def reserve(database: Database, call_id: str, purses: Sequence[Purse], need: Need) -> int:
    """Hold what the call needs of every purse, or of none; how many output tokens are paid for.

    Raises NoRoom or NoPrice.
    """
    output = await _reserve_of_opened(database, call_id, purses, need, is_last_try=False)
    if output is None:
        async with database.writing() as session:
            await counters.open_all(session, purses)
        output = await _reserve_of_opened(database, call_id, purses, need, is_last_try=True)
    return need.output_tokens if output is None else output


def output_paid_for(standings: Sequence[Standing], need: Need) -> int:
    """How many output tokens the call may be allowed. Raises NoRoom or NoPrice."""
    if all(need.amount(found.budget, need.output_tokens) <= found.left for found in standings):
        return need.output_tokens
    for share, least in ((2, GENEROUS_OUTPUT), (1, LEAST_OUTPUT)):
        output = min(_most_output(found.budget, need, found.left // share) for found in standings)
        if output >= min(least, need.output_tokens):
            return output
    least = min(LEAST_OUTPUT, need.output_tokens)
    tightest = min(standings, key=lambda found: _most_output(found.budget, need, found.left))
    raise NoRoom(tightest, need.amount(tightest.budget, least))


async def settle(session: AsyncSession, entries: Sequence[Entry], call_ids: Collection[str] = ()) -> None:
    """Count what is about to be written into the ledger, and give back what these calls held.

    To be called first in the transaction that writes `entries`, whoever writes them.
    """
    await counters.hold_ledger(session)
    book = await read_book(session)
    spent = counters.spending_of(book, entries)
    await counters.change(session, _joined(spent, await _give_back(session, call_ids)))


async def _give_back(session: AsyncSession, call_ids: Collection[str]) -> dict[PurseKey, Change]:
    """Let go of what these calls held; what that changes in each counter. An expired hold changes nothing."""
    if not call_ids:
        return {}
    rows = await session.execute(
        delete(Reservation)
        .where(Reservation.call_id.in_(call_ids))
        .returning(Reservation.budget_id, Reservation.subject, Reservation.period_start, Reservation.amount)
    )
    freed: dict[PurseKey, int] = {}
    for budget_id, subject, start, amount in rows:
        key = (budget_id, subject, start)
        freed[key] = freed.get(key, 0) + amount
    return {key: Change(reserved=-amount) for key, amount in freed.items()}


async def renew(session: AsyncSession, call_ids: Collection[str]) -> None:
    """These calls still run: what they hold does not expire yet."""
    statement = update(Reservation).where(Reservation.call_id.in_(call_ids))
    await session.execute(statement.values(expires_at=now() + LEASE))


async def expire(session: AsyncSession, at: datetime) -> int:
    """Free what killed processes held; how many calls that were."""
    # Whoever settles one of them right now is left alone.
    expired = select(Reservation.call_id).where(Reservation.expires_at < at).with_for_update(skip_locked=True)
    call_ids = set(await session.scalars(expired))
    await counters.change(session, await _give_back(session, call_ids))
    return len(call_ids)


def _joined(*parts: Mapping[PurseKey, Change]) -> dict[PurseKey, Change]:
    """Several changes of counters as one."""
    total: dict[PurseKey, Change] = {}
    for part in parts:
        for key, change in part.items():
            so_far = total.get(key, Change())
            total[key] = Change(so_far.spent + change.spent, so_far.reserved + change.reserved)
    return total


async def _reserve_of_opened(
    database: Database, call_id: str, purses: Sequence[Purse], need: Need, *, is_last_try: bool
) -> int | None:
    """None when a purse was never opened. On the last try it is one whose budget was just removed."""
    async with database.writing() as session:
        found = await counters.locked(session, purses)
        if len(found) < len(purses) and not is_last_try:
            return None
        output = output_paid_for(found, need)
        await _hold(session, call_id, found, need, output)
        return output


async def _hold(
    session: AsyncSession, call_id: str, standings: Sequence[Standing], need: Need, output: int
) -> None:
    amounts = {found.purse.key: need.amount(found.budget, output) for found in standings}
    if not amounts:
        return
    await counters.change(session, {key: Change(reserved=amount) for key, amount in amounts.items()})
    expires_at = now() + LEASE
    rows = [
        {
            "call_id": call_id,
            "budget_id": budget_id,
            "subject": subject,
            "period_start": start,
            "amount": amount,
            "expires_at": expires_at,
        }
        for (budget_id, subject, start), amount in amounts.items()
    ]
    await session.execute(insert(RESERVATIONS), rows)


def _most_output(budget: Budget, need: Need, room: int) -> int:
    """How many output tokens fit into the room; below zero when not even the input does."""
    tokens = range(need.output_tokens + 1)
    return bisect_right(tokens, room, key=lambda output: need.amount(budget, output)) - 1
