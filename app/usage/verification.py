"""Proves that the sums agree with the ledger, and says where they do not; or adds all of them up again."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Base
from app.usage import rollups
from app.usage.models import ChatSum, LedgerEntry, ModelSum, ModelTime, UsageSum
from app.usage.rollups import CHATS, SUMS, TIMES, WHAT, WHO_AND_WHAT, Batch, Key, Total

ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Disagreement:
    """A sum that is not what the ledger adds up to. `where` names its row: `2026-11-20, …`."""

    table: str
    where: str
    what: str
    kept: int
    in_ledger: int

    def __str__(self) -> str:
        return f"{self.table}, {self.where}: {self.what} is {self.kept}, the ledger says {self.in_ledger}."


async def disagreements(session: AsyncSession) -> list[Disagreement]:
    """Every sum that differs from the ledger, in one look at both: none may be written in between."""
    expected = await _summed_up(session)
    found: list[Disagreement] = []
    for model, names, totals in (
        (UsageSum, WHO_AND_WHAT, expected.who_and_what),
        (ModelSum, WHAT, expected.what),
        (ChatSum, CHATS, expected.chats),
    ):
        kept = await _kept(session, model, names, SUMS)
        ledger = {key: [getattr(total, name) for name in SUMS] for key, total in totals.items()}
        found += _differences(model.__tablename__, SUMS, kept, ledger)
    times = await _kept(session, ModelTime, TIMES, ("count",))
    counts = {key: [count] for key, count in expected.times.items()}
    return found + _differences(ModelTime.__tablename__, ("count",), times, counts)


async def rebuild(session: AsyncSession) -> int:
    """Add all sums up again from the ledger, which is what counts; how many entries there are."""
    await rollups.clear(session)
    count = 0
    async for entries in _entries(session):
        await rollups.add(session, entries)
        count += len(entries)
    return count


async def total_of_ledger(session: AsyncSession) -> Total:
    """Everything that was ever used."""
    total = Total()
    async for entries in _entries(session):
        for entry in entries:
            total += rollups.total_of(entry)
    return total


async def count(session: AsyncSession) -> int:
    """How many entries the ledger has."""
    return await session.scalar(select(func.count()).select_from(LedgerEntry)) or 0


async def _summed_up(session: AsyncSession) -> Batch:
    batch = Batch()
    async for entries in _entries(session):
        for entry in entries:
            batch.count(entry)
    return batch


async def _entries(session: AsyncSession) -> AsyncIterator[list[LedgerEntry]]:
    """The whole ledger, a piece at a time, so that a large one does not fill the memory."""
    after = ""
    while True:
        query = select(LedgerEntry).where(LedgerEntry.id > after).order_by(LedgerEntry.id)
        entries = list(await session.scalars(query.limit(ROWS_AT_ONCE)))
        if not entries:
            return
        yield entries
        after = entries[-1].id
        session.expunge_all()


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
