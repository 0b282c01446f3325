"""Whatever happens in whatever order: counters say what the ledger says, and no limit is exceeded."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.usage import budgets, ledger, reservations
from app.usage.models import Budget, BudgetCounter, LedgerEntry, Period, Reservation, Unit
from app.usage.purses import Payer
from app.usage.reservations import NoRoom
from tests.usage.test_reservations import entry, need

LIMIT = 2_000
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = ("alice", "bob")

asked = st.tuples(
    st.just("ask"), st.integers(0, 300), st.integers(1, 900), st.sampled_from(PEOPLE), st.integers(0, 1)
)
ended = st.tuples(st.sampled_from(["settle", "kill", "unreserved"]), st.integers(0, 9), st.integers(0, 100))
opened = st.tuples(
    st.just("limit"), st.sampled_from([*PEOPLE, "*"]), st.sampled_from([Period.DAY, Period.MONTH])
)
happenings = st.lists(st.one_of(asked, asked, ended, opened), max_size=14)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happenings)
def test_the_counters_always_say_what_the_ledger_says(
    data_dir: Path, events: list[tuple[object, ...]]
) -> None:
    asyncio.run(Story(data_dir).told(events))


class Story:
    """Calls that begin, end and are killed; budgets that are made in between."""

    def __init__(self, data_dir: Path) -> None:
        self._database = Database(Settings(data_dir=data_dir, _env_file=None).resolved_database_url)
        self._running: dict[str, tuple[Payer, datetime, int]] = {}

    async def told(self, events: list[tuple[object, ...]]) -> None:
        await self._forget_everything()
        await self._limit("", Period.MONTH)
        for number, (what, *how) in enumerate(events):
            match what, how:
                case "ask", [int(size), int(output), str(who), int(day)]:
                    await self._ask(str(number), size, output, Payer(who, "echo/echo"), day)
                case "limit", [str(who), Period() as period]:
                    await self._limit(who, period)
                case str(), [int(which), int(percent)]:
                    await self._end(what, which, percent)
            await self._all_is_well()
        await self._database.close()

    async def _ask(self, call_id: str, size: int, output: int, payer: Payer, day: int) -> None:
        at, wanted = NOON + timedelta(days=day), need(size, output)
        async with self._database.reading() as session:
            purses = (await budgets.read_book(session)).binding(payer, at)
        try:
            granted = await reservations.reserve(self._database, call_id, purses, wanted)
        except NoRoom:
            return
        self._running[call_id] = (payer, at, size + granted)

    async def _end(self, how: str, which: int, percent: int) -> None:
        if not self._running:
            return
        call_id = sorted(self._running)[which % len(self._running)]
        payer, at, most = self._running.pop(call_id)
        if how == "kill":
            await self._kill(call_id)
            return
        line = entry(most * percent // 100, at, payer)
        async with self._database.writing() as session:
            await reservations.settle(session, [line], [call_id])
            await ledger.record(session, [line])

    async def _kill(self, call_id: str) -> None:
        async with self._database.writing() as session:
            dead = update(Reservation).where(Reservation.call_id == call_id)
            await session.execute(dead.values(expires_at=now() - timedelta(seconds=1)))
            await reservations.expire(session, now())

    async def _limit(self, who: str, period: str) -> None:
        scope = "user" if who else "workspace"
        async with self._database.writing() as session:
            same = select(Budget.id).where(Budget.subject == who, Budget.period == period)
            if await session.scalar(same) is None:
                session.add(Budget(scope=scope, subject=who, unit=Unit.USD, period=period, amount=LIMIT))

    async def _all_is_well(self) -> None:
        async with self._database.reading() as session:
            limits = {budget.id: budget for budget in await session.scalars(select(Budget))}
            book = await budgets.read_book(session)
            for row in await session.scalars(select(BudgetCounter)):
                budget = limits[row.budget_id]
                held = select(func.sum(Reservation.amount)).where(
                    Reservation.budget_id == row.budget_id,
                    Reservation.subject == row.subject,
                    Reservation.period_start == row.period_start,
                )
                assert row.reserved == (await session.scalar(held) or 0)
                span = book.purse(budget, row.subject, row.period_start).span
                spent = select(func.sum(LedgerEntry.cost_micros)).where(
                    LedgerEntry.at >= span.start, LedgerEntry.at < span.end
                )
                if row.subject:
                    spent = spent.where(LedgerEntry.user_id == row.subject)
                assert row.spent == (await session.scalar(spent) or 0)
                if budget.scope == "workspace":
                    assert row.spent + row.reserved <= LIMIT

    async def _forget_everything(self) -> None:
        async with self._database.writing() as session:
            for table in (Budget, BudgetCounter, Reservation, LedgerEntry):
                await session.execute(delete(table))
