"""What each budget has left: counters that always say what the ledger says.

A counter is opened when it is first needed, with the sum of its period so far, and then raised in every
transaction that writes the ledger. On PostgreSQL a table lock keeps the two from passing each other: whoever
writes the ledger holds it in one mode, whoever adds it up in a mode that waits for all of them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.upserts import insert_into
from app.usage.ledger import Entry
from app.usage.models import Budget, BudgetCounter, BudgetScope, LedgerEntry, Period, Unit
from app.usage.purse_sums import spent_on_whole_days
from app.usage.purses import Payer, Purse, PurseKey

MINUTES_KEPT = timedelta(hours=1)
COUNTERS: Table = BudgetCounter.__table__  # type: ignore[assignment]
KEY = (COUNTERS.c.budget_id, COUNTERS.c.subject, COUNTERS.c.period_start)

ADD = (
    update(COUNTERS)
    .where(
        COUNTERS.c.budget_id == bindparam("of_budget"),
        COUNTERS.c.subject == bindparam("of_subject"),
        COUNTERS.c.period_start == bindparam("of_period"),
    )
    .values(
        spent=COUNTERS.c.spent + bindparam("more_spent"),
        reserved=COUNTERS.c.reserved + bindparam("more_reserved"),
    )
)
SUMS: dict[str, ColumnElement[int]] = {
    Unit.USD: func.sum(func.coalesce(LedgerEntry.cost_micros, 0)),
    Unit.TOKENS: func.sum(LedgerEntry.input_tokens + LedgerEntry.output_tokens),
    Unit.REQUESTS: func.sum(case((LedgerEntry.correction_of.is_(None), 1), else_=0)),
}
SUBJECTS = {
    BudgetScope.GROUP: LedgerEntry.group_id,
    BudgetScope.USER: LedgerEntry.user_id,
    BudgetScope.KEY: LedgerEntry.api_key_id,
}


# Runs before every call that a hard budget concerns: built once, and without objects.
HARD_ONES = (
    select(*KEY, Budget.amount, COUNTERS.c.spent, COUNTERS.c.reserved)
    .join(Budget, Budget.id == COUNTERS.c.budget_id)
    .where(tuple_(*KEY).in_(bindparam("keys", expanding=True)), Budget.is_hard)
    # One order for everybody who locks, so that nobody waits in a circle.
    .order_by(*KEY)
    .with_for_update(of=COUNTERS)
)


@dataclass(frozen=True)
class Standing:
    """A purse as it is now: what is spent, and what running calls hold on top of that."""

    purse: Purse
    limit: int
    spent: int = 0
    reserved: int = 0

    @property
    def budget(self) -> Budget:
        return self.purse.budget

    @property
    def left(self) -> int:
        """Below zero when more was used than the limit allows now."""
        return self.limit - self.spent - self.reserved

    @property
    def percent(self) -> int:
        return self.spent * 100 // self.limit if self.limit else 100

    @property
    def is_spent(self) -> bool:
        return self.spent >= self.limit

    @property
    def is_nearly_spent(self) -> bool:
        """Beyond the threshold from which people are warned."""
        return self.spent * 100 >= self.limit * self.budget.warn_percent


@dataclass(frozen=True)
class Change:
    spent: int = 0
    reserved: int = 0


async def standings(session: AsyncSession, purses: Collection[Purse]) -> list[Standing]:
    """How each purse stands, in their order; one that nobody opened yet is added up."""
    rows = {_key(row): row for row in await session.scalars(_rows_of(purses))}
    return [
        Standing(purse, purse.budget.amount, rows[purse.key].spent, rows[purse.key].reserved)
        if purse.key in rows
        else Standing(purse, purse.budget.amount, await _spent_so_far(session, purse))
        for purse in purses
    ]


async def locked(session: AsyncSession, purses: Collection[Purse]) -> list[Standing]:
    """The same for the opened ones, which nobody else can change before this transaction ends.

    Limits are read again with them: what counts is what holds now. Those that are not hard any more are left out.
    """
    by_key = {purse.key: purse for purse in purses}
    rows = await session.execute(HARD_ONES, {"keys": list(by_key)})
    return [
        Standing(by_key[budget_id, subject, start], limit, spent, reserved)
        for budget_id, subject, start, limit, spent, reserved in rows
    ]


async def open_all(session: AsyncSession, purses: Collection[Purse]) -> None:
    """Make the counters that are missing. To be called first in its transaction."""
    await _lock_ledger(session, "SHARE")
    for purse in sorted(purses, key=lambda purse: purse.key):
        budget_id, subject, start = purse.key
        row = {"budget_id": budget_id, "subject": subject, "period_start": start, "reserved": 0}
        statement = insert_into(session, COUNTERS).values(
            row | {"spent": await spent_in_ledger(session, purse)}
        )
        await session.execute(statement.on_conflict_do_nothing())


async def lock(session: AsyncSession, keys: Collection[PurseKey]) -> None:
    """Let nobody else change these counters before this transaction ends."""
    # SQLite has one writer at a time.
    if keys and _is_postgres(session):
        await session.execute(
            select(COUNTERS.c.budget_id).where(tuple_(*KEY).in_(list(keys))).order_by(*KEY).with_for_update()
        )


async def hold_ledger(session: AsyncSession) -> None:
    """From here on, until this transaction ends, nobody adds the ledger up. To be called before budgets are read."""
    await _lock_ledger(session, "ROW EXCLUSIVE")


async def freeze_ledger(session: AsyncSession) -> None:
    """From here on, until this transaction ends, nobody writes the ledger. To be called first in it."""
    await _lock_ledger(session, "SHARE")


async def change(session: AsyncSession, changes: Mapping[PurseKey, Change]) -> None:
    """Raise or lower counters, in the order of their keys; those that nobody opened yet stay closed."""
    if changes:
        await session.execute(ADD, [_parameters(key, changes[key]) for key in sorted(changes)])


async def forget_old_minutes(session: AsyncSession, at: datetime) -> None:
    """Counters of rate limits are of no use once their minute is over; nobody waits for them any more."""
    of_minutes = select(Budget.id).where(Budget.period == Period.MINUTE)
    await session.execute(
        delete(BudgetCounter).where(
            BudgetCounter.budget_id.in_(of_minutes),
            BudgetCounter.period_start < at - MINUTES_KEPT,
            BudgetCounter.reserved == 0,
        )
    )


def payer_of(entry: Entry) -> Payer:
    return Payer(entry.user_id, f"{entry.connection}/{entry.model}", entry.group_id, entry.api_key_id)


async def _spent_so_far(session: AsyncSession, purse: Purse) -> int:
    """The same as `spent_in_ledger`, but from the sums of whole days: a month of calls takes long to read."""
    spent, rest = await spent_on_whole_days(session, purse)
    return spent if rest is None else spent + await spent_in_ledger(session, replace(purse, span=rest))


async def spent_in_ledger(session: AsyncSession, purse: Purse) -> int:
    """What the ledger has of this purse: exact, however long that takes to read."""
    amount = SUMS.get(purse.budget.unit)
    if amount is None:
        return 0
    query = select(func.coalesce(amount, 0)).where(LedgerEntry.at >= purse.span.start)
    if purse.span.end is not None:
        query = query.where(LedgerEntry.at < purse.span.end)
    return int(await session.scalar(query.where(*_is_of(purse))) or 0)


def _is_of(purse: Purse) -> list[ColumnElement[bool]]:
    if purse.budget.scope == BudgetScope.MODEL:
        connection, _, model = purse.subject.partition("/")
        return [LedgerEntry.connection == connection, LedgerEntry.model == model]
    column = SUBJECTS.get(BudgetScope(purse.budget.scope))
    return [] if column is None else [column == purse.subject]


def _rows_of(purses: Collection[Purse]) -> Select[BudgetCounter]:
    key = tuple_(BudgetCounter.budget_id, BudgetCounter.subject, BudgetCounter.period_start)
    return select(BudgetCounter).where(key.in_([purse.key for purse in purses]))


def _key(row: BudgetCounter) -> PurseKey:
    return (row.budget_id, row.subject, row.period_start)


def _parameters(key: PurseKey, wanted: Change) -> dict[str, object]:
    budget_id, subject, start = key
    return {
        "of_budget": budget_id,
        "of_subject": subject,
        "of_period": start,
        "more_spent": wanted.spent,
        "more_reserved": wanted.reserved,
    }


async def _lock_ledger(session: AsyncSession, mode: str) -> None:
    # SQLite has one writer at a time.
    if _is_postgres(session):
        await session.execute(text(f"LOCK TABLE {LedgerEntry.__tablename__} IN {mode} MODE"))


def _is_postgres(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"
