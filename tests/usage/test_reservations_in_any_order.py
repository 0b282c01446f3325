"""Whatever happens in whatever order: counters say what the ledger says, and no limit is exceeded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.usage import budgets, open_calls, reservations
from app.usage.admission import Admission
from app.usage.models import Budget, BudgetCounter, LedgerEntry, OpenCall, Period, Reservation, Unit
from app.usage.needs import NoRoom
from app.usage.open_calls import Note
from app.usage.purses import Payer
from app.usage.reservations import Hold, Settled
from tests.usage.test_reservations import entry, need

LIMIT = 20_000
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = ("alice", "bob")
PROCESSES = st.integers(0, 1)

small, large = (
    st.tuples(st.integers(0, 20), st.integers(1, 40)),
    st.tuples(st.integers(0, 3_000), st.integers(1, 9_000)),
)
asked = st.tuples(
    st.just("ask"), PROCESSES, st.one_of(small, small, large), st.sampled_from(PEOPLE), st.integers(0, 1)
)
ended = st.tuples(
    st.sampled_from(["settle", "note", "taken for dead"]), st.integers(0, 9), st.integers(0, 100)
)
kept = st.tuples(st.sampled_from(["look after", "give back", "crash"]), PROCESSES)
opened = st.tuples(
    st.just("limit"), st.sampled_from([*PEOPLE, "*"]), st.sampled_from([Period.DAY, Period.MONTH])
)
happenings = st.lists(st.one_of(asked, asked, asked, ended, ended, kept, opened), min_size=5, max_size=25)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happenings)
def test_the_counters_always_say_what_the_ledger_says(
    data_dir: Path, events: list[tuple[object, ...]]
) -> None:
    asyncio.run(Story(data_dir).told(events))


@dataclass(frozen=True)
class Running:
    """A call, by which process, and the most that it can cost."""

    process: int
    payer: Payer
    at: datetime
    hold: Hold
    most: int


class Story:
    """Calls that begin and end in two processes, which are killed at times; budgets that are made in between."""

    def __init__(self, data_dir: Path) -> None:
        url = Settings(data_dir=data_dir, _env_file=None).resolved_database_url
        self._databases = [Database(url) for _ in range(2)]
        self._database = self._databases[0]
        self._admissions = [Admission(database) for database in self._databases]
        self._running: dict[str, Running] = {}
        self._limit_holds = True

    async def told(self, events: list[tuple[object, ...]]) -> None:
        await self._forget_everything()
        await self._limit("", Period.MONTH)
        for number, event in enumerate(events):
            match event:
                case ("ask", int(process), (int(size), int(output)), str(who), int(day)):
                    async with self._both_looked_after():
                        await self._ask(f"{number:02}", process, size, output, Payer(who, "echo/echo"), day)
                case ("limit", str(who), Period() as period):
                    await self._limit(who, period)
                case ("crash", int(process)):
                    await self._crash(process)
                case ("look after", int(process)):
                    await self._admissions[process].look_after()
                case ("give back", int(process)):
                    await self._admissions[process].close()
                case (str(what), int(which), int(percent)) if self._running:
                    await self._go_on(what, sorted(self._running)[which % len(self._running)], percent)
            await self._all_is_well()
        await self._come_to_rest()
        for database in self._databases:
            await database.close()

    async def _ask(self, call_id: str, process: int, size: int, output: int, payer: Payer, day: int) -> None:
        at, wanted = NOON + timedelta(days=day), need(size, output)
        async with self._database.reading() as session:
            purses = (await budgets.read_book(session)).binding(payer, at)
        try:
            hold = await self._admissions[process].admit(call_id, purses, wanted)
        except NoRoom:
            return
        assert hold.output_tokens is not None
        self._running[call_id] = Running(process, payer, at, hold, size + hold.output_tokens)

    async def _go_on(self, how: str, call_id: str, percent: int) -> None:
        running = self._running[call_id]
        line = replace(entry(running.most * percent // 100, running.at, running.payer), id=call_id)
        async with self._database.writing() as session:
            if how != "settle":
                await open_calls.note(session, [Note(line, running.hold, claim=call_id)])
            if how == "taken for dead":
                await open_calls.enter_abandoned(session, claims=[call_id])
                # What it held is free for others, and it goes on.
                self._limit_holds = False
            if how != "settle":
                return
            settled = await open_calls.settled(session, [Settled(line, running.hold)])
            await reservations.settle(session, settled)
        del self._running[call_id]

    async def _crash(self, process: int) -> None:
        """What it had noted is entered, and what it held ends with its lease."""
        dead = {call_id for call_id, running in self._running.items() if running.process == process}
        ids = dead | set(self._admissions[process]._allotments.ids())
        async with self._database.writing() as session:
            await open_calls.enter_abandoned(session, claims=dead)
        async with self._database.writing() as session:
            ended = update(Reservation).where(Reservation.call_id.in_(ids))
            await session.execute(ended.values(expires_at=now() - timedelta(seconds=1)))
            await reservations.expire(session, now())
        self._running = {name: one for name, one in self._running.items() if name not in dead}
        self._admissions[process] = Admission(self._databases[process])

    async def _limit(self, who: str, period: str) -> None:
        scope = "user" if who else "workspace"
        async with self._database.writing() as session:
            same = select(Budget.id).where(Budget.subject == who, Budget.period == period)
            if await session.scalar(same) is None:
                session.add(Budget(scope=scope, subject=who, unit=Unit.USD, period=period, amount=LIMIT))

    @asynccontextmanager
    async def _both_looked_after(self) -> AsyncIterator[None]:
        async def look_after() -> None:
            while True:
                for admission in self._admissions:
                    await admission.look_after()
                await asyncio.sleep(0.01)

        looking = asyncio.create_task(look_after())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _all_is_well(self) -> None:
        # What was begun is not cut off: something may still be given back while this looks.
        async with self._database.snapshot() as session:
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
                if budget.scope == "workspace" and self._limit_holds:
                    assert row.spent + row.reserved <= LIMIT

    async def _come_to_rest(self) -> None:
        for call_id in list(self._running):
            await self._go_on("settle", call_id, 100)
        for admission in self._admissions:
            await admission.close()
        await self._all_is_well()
        async with self._database.reading() as session:
            for table in (Reservation, OpenCall):
                assert await session.scalar(select(func.count()).select_from(table)) == 0

    async def _forget_everything(self) -> None:
        async with self._database.writing() as session:
            for table in (Budget, BudgetCounter, Reservation, LedgerEntry, OpenCall):
                await session.execute(delete(table))
