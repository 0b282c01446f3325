"""Proves that the sums agree with the ledger, and says where they do not; or adds all of them up again.

What is compared is to be read from one `Database.snapshot()`: none of it may be written in between.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Base
from app.usage import budgets, counters, rollups, summing
from app.usage.models import (
    BEYOND_LIMIT,
    BudgetCounter,
    ChatSum,
    LedgerEntry,
    ModelSum,
    ModelTime,
    PersonSum,
    Reservation,
    UsageSum,
)
from app.usage.purses import Purse, PurseKey
from app.usage.rollups import CHATS, SUMS, TIMES, WHAT, WHO, WHO_AND_WHAT, Batch, Countable, Key

ROWS_AT_ONCE = 5_000
READ = (
    LedgerEntry.id,
    LedgerEntry.day,
    LedgerEntry.user_id,
    LedgerEntry.group_id,
    LedgerEntry.api_key_id,
    LedgerEntry.connection,
    LedgerEntry.model,
    LedgerEntry.origin,
    LedgerEntry.input_tokens,
    LedgerEntry.cache_read_tokens,
    LedgerEntry.cache_write_tokens,
    LedgerEntry.output_tokens,
    LedgerEntry.reasoning_tokens,
    LedgerEntry.cost_micros,
    LedgerEntry.outcome,
    LedgerEntry.first_token_ms,
    LedgerEntry.total_ms,
    LedgerEntry.correction_of,
)
"""What `rollups` needs to know of an entry, and where it stands. Without whole objects it is read in half the time."""


@dataclass(frozen=True)
class Disagreement:
    """A sum that is not what it is the sum of. `where` names its row: `2026-11-20, …`."""

    table: str
    where: str
    what: str
    kept: int
    expected: int
    source: str = "the ledger says"

    def __str__(self) -> str:
        return f"{self.table}, {self.where}: {self.what} is {self.kept}, {self.source} {self.expected}."


async def disagreements(session: AsyncSession, at: datetime) -> list[Disagreement]:
    """Every sum that differs from the ledger, and every counter of a budget whose period holds `at`."""
    return [*await _wrong_sums(session), *await _wrong_counters(session, at)]


async def beyond_limits(session: AsyncSession) -> dict[str, int]:
    """How many calls of which model used more than a hard limit had held, as their provider reports."""
    query = (
        select(LedgerEntry.connection, LedgerEntry.model, func.count())
        .where(LedgerEntry.error_code == BEYOND_LIMIT, LedgerEntry.correction_of.is_(None))
        .group_by(LedgerEntry.connection, LedgerEntry.model)
        .order_by(LedgerEntry.connection, LedgerEntry.model)
    )
    return {f"{connection}/{model}": calls for connection, model, calls in await session.execute(query)}


async def rebuild(session: AsyncSession, at: datetime) -> int:
    """Add all sums up again from the ledger, which is what counts, and what is spent of budgets in the periods that
    hold `at`; how many entries there are."""
    await counters.freeze_ledger(session)
    await recount_budgets(session, at)
    await rollups.clear(session)
    await summing.add_up(session)
    return await count(session)


async def recount_budgets(session: AsyncSession, at: datetime) -> None:
    """Let counters say what the ledger says, in the periods that hold `at`."""
    for row, purse in await _open_counters(session, at):
        row.spent = await counters.spent_in_ledger(session, purse)
    await session.flush()


async def count(session: AsyncSession) -> int:
    """How many entries the ledger has."""
    return await session.scalar(select(func.count()).select_from(LedgerEntry)) or 0


async def _wrong_sums(session: AsyncSession) -> list[Disagreement]:
    expected = await _summed_up(session)
    found: list[Disagreement] = []
    for model, names, totals in (
        (UsageSum, WHO_AND_WHAT, expected.who_and_what),
        (PersonSum, WHO, expected.who),
        (ModelSum, WHAT, expected.what),
        (ChatSum, CHATS, expected.chats),
    ):
        kept = await _kept(session, model, names, SUMS)
        ledger = {key: [getattr(total, name) for name in SUMS] for key, total in totals.items()}
        found += _differences(model.__tablename__, SUMS, kept, ledger)
    times = await _kept(session, ModelTime, TIMES, ("count",))
    counts = {key: [count] for key, count in expected.times.items()}
    return found + _differences(ModelTime.__tablename__, ("count",), times, counts)


async def _wrong_counters(session: AsyncSession, at: datetime) -> list[Disagreement]:
    """Of the open counters: what is spent, as the ledger has it, and what is reserved, as the calls hold it."""
    held = await _held(session)
    found: list[Disagreement] = []
    for row, purse in await _open_counters(session, at):
        where, name = f"{row.budget_id}, {row.subject or '-'}", BudgetCounter.__tablename__
        spent, reserved = await counters.spent_in_ledger(session, purse), held.get(purse.key, 0)
        if row.spent != spent:
            found.append(Disagreement(name, where, "spent", row.spent, spent))
        if row.reserved != reserved:
            found.append(Disagreement(name, where, "reserved", row.reserved, reserved, "calls hold"))
    return found


async def _open_counters(session: AsyncSession, at: datetime) -> list[tuple[BudgetCounter, Purse]]:
    """Each counter that still goes on, with what it counts: not once its budget is gone or the time zone changed."""
    book = await budgets.read_book(session)
    by_id = {budget.id: budget for budget in book.budgets}
    rows = await session.scalars(
        select(BudgetCounter).order_by(BudgetCounter.budget_id, BudgetCounter.subject)
    )
    pairs = [
        (row, book.purse(by_id[row.budget_id], row.subject, at)) for row in rows if row.budget_id in by_id
    ]
    return [(row, purse) for row, purse in pairs if purse.span.start == row.period_start]


async def _held(session: AsyncSession) -> dict[PurseKey, int]:
    key = (Reservation.budget_id, Reservation.subject, Reservation.period_start)
    rows = await session.execute(select(*key, func.sum(Reservation.amount)).group_by(*key))
    return {(budget_id, subject, start): int(held) for budget_id, subject, start, held in rows}


async def _summed_up(session: AsyncSession) -> Batch:
    batch = Batch()
    async for entries in _entries(session):
        for entry in entries:
            batch.count(entry)
    return batch


async def _entries(session: AsyncSession) -> AsyncIterator[list[Countable]]:
    """What counts of the whole ledger, a piece at a time, so that a large one does not fill the memory."""
    after = ""
    while True:
        query = select(*READ).where(LedgerEntry.id > after).order_by(LedgerEntry.id).limit(ROWS_AT_ONCE)
        rows = (await session.execute(query)).all()
        if not rows:
            return
        yield cast("list[Countable]", rows)
        after = rows[-1].id


async def _kept(
    session: AsyncSession, model: type[Base], key: tuple[str, ...], values: tuple[str, ...]
) -> dict[Key, list[int]]:
    columns = [getattr(model, name) for name in (*key, *values)]
    rows = await session.execute(select(*columns))
    return {tuple(row[: len(key)]): list(row[len(key) :]) for row in rows}


def _differences(
    table: str, names: tuple[str, ...], kept: Mapping[Key, list[int]], ledger: Mapping[Key, list[int]]
) -> list[Disagreement]:
    nothing = [0] * len(names)
    return [
        Disagreement(table, ", ".join(str(part) or "-" for part in key), name, have, should)
        for key in sorted(kept.keys() | ledger.keys())
        for name, have, should in zip(names, kept.get(key, nothing), ledger.get(key, nothing), strict=True)
        if have != should
    ]
