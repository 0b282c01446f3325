"""Far from a limit a call is let in without asking the database; and nothing lies idle while somebody needs it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from app.core.clock import now
from app.core.database import Database
from app.usage import admission, allotments, budgets, reservations
from app.usage.admission import Admission
from app.usage.models import Budget, BudgetCounter, Period, Reservation, Unit
from app.usage.needs import Need, NoPrice, NoRoom
from app.usage.reservations import Hold, Settled
from tests.usage.test_reservations import ALICE, add_budget, entry, need

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FAR = 1_000_000


async def admit(books: Database, admission: Admission, call_id: str, wanted: Need | None = None) -> Hold:
    async with books.reading() as session:
        purses = (await budgets.read_book(session)).binding(ALICE, NOON)
    return await admission.admit(call_id, purses, wanted or need())


async def counter(books: Database) -> tuple[int, int]:
    async with books.reading() as session:
        row = (await session.scalars(select(BudgetCounter))).one()
        return row.spent, row.reserved


async def settle(books: Database, hold: Hold, cost: int) -> None:
    async with books.writing() as session:
        await reservations.settle(session, [Settled(entry(cost, NOON), hold)])


async def test_the_second_call_needs_no_database(books: Database) -> None:
    await add_budget(books, FAR)
    admission = Admission(books)
    async with books.reading() as session:
        purses = (await budgets.read_book(session)).binding(ALICE, NOON)
    first = await admission.admit("first", purses, need())
    statements: list[str] = []
    event.listen(
        books.engine.sync_engine, "before_cursor_execute", lambda *details: statements.append(details[2])
    )

    second = await admission.admit("second", purses, need())

    assert statements == []
    assert await counter(books) == (0, FAR // allotments.SHARE)
    for hold in (first, second):
        await settle(books, hold, 120)
    assert await counter(books) == (240, FAR // allotments.SHARE - 240), "the rest waits for the next calls"
    await admission.close()
    assert await counter(books) == (240, 0)


async def test_nobody_is_refused_while_another_process_has_more_than_it_uses(
    books: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PATIENCE", timedelta(minutes=1))  # this machine may be slow
    await add_budget(books, 10_000)
    here, there = Admission(books), Admission(books)
    await admit(books, there, "there", need(10, 40))
    assert (await counter(books))[1] == 10_000 // allotments.SHARE

    asking = asyncio.create_task(admit(books, here, "here", need(100, 9_800)))
    while not asking.done():
        await asyncio.sleep(0.02)
        await there.look_after()

    assert (await asking).output_tokens == 9_800
    assert await counter(books) == (0, 9_900 + 50)


async def test_a_killed_process_is_not_waited_for_twice(
    books: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_budget(books, 10_000)
    await admit(books, Admission(books), "killed", need(10, 40))
    here = Admission(books)

    shortened = await admit(books, here, "here", need(100, 9_800))
    assert shortened.output_tokens is not None
    assert shortened.output_tokens < 9_800
    monkeypatch.setattr(reservations, "want", lambda *_: pytest.fail("It asked the killed one again."))
    assert await admit(books, here, "next", need(100, 9_800))


async def test_another_limit_counts_at_once(books: Database) -> None:
    budget = await add_budget(books, FAR)
    admission = Admission(books)
    await admit(books, admission, "before")
    async with books.writing() as session:
        await session.execute(update(Budget).where(Budget.id == budget.id).values(amount=100))

    with pytest.raises(NoRoom):
        await admit(books, admission, "after")


async def test_what_lies_idle_is_given_back(books: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await add_budget(books, FAR)
    admission = Admission(books)
    hold = await admit(books, admission, "call")
    monkeypatch.setattr(allotments, "SECONDS_IDLE", 0.0)

    await admission.look_after()
    assert await counter(books) == (0, 500), "what the running call holds stays"
    await settle(books, hold, 120)
    await admission.look_after()

    assert await counter(books) == (120, 0)
    async with books.reading() as session:
        assert (await session.scalars(select(Reservation))).all() == []


async def test_what_runs_low_is_filled_up(books: Database) -> None:
    await add_budget(books, 80_000)
    admission = Admission(books)
    for number in range(16):
        await admit(books, admission, f"call {number}")

    await admission.look_after()

    assert (await counter(books))[1] > 16 * 500 + 500


async def test_what_may_or_may_not_have_been_filled_up_ends_with_its_lease(
    books: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_budget(books, 80_000)
    admission = Admission(books)
    for number in range(16):
        await admit(books, admission, f"call {number}")

    async def fail(*_: object) -> None:
        raise OperationalError("update", {}, Exception("the server closed the connection"))

    with monkeypatch.context() as trouble:
        trouble.setattr(reservations, "keep", fail)
        with pytest.raises(OperationalError):
            await admission.look_after()
    async with books.writing() as session:
        await admission.renew(session, [])
        await reservations.expire(session, now() + allotments.LEASE / 2)
    assert (await counter(books))[1] > 0, "it is there as long as calls may need it"

    async with books.writing() as session:
        await reservations.expire(session, now() + allotments.LEASE)

    assert await counter(books) == (0, 0)


async def test_replies_at_once_are_counted_the_same_way(books: Database) -> None:
    await add_budget(books, 20, unit=Unit.REPLIES, period=Period.TOTAL)
    async with books.reading() as session:
        book = await budgets.read_book(session)
    at = book.budgets[0].created_at
    admission = Admission(books)

    holds = [await admission.admit(f"{number}", book.binding(ALICE, at), need()) for number in range(20)]
    with pytest.raises(NoRoom):
        await admission.admit("too many", book.binding(ALICE, at), need())
    await settle(books, holds[0], 10)

    assert await admission.admit("next", book.binding(ALICE, at), need())


async def test_whoever_asks_and_leaves_holds_nothing(books: Database) -> None:
    await add_budget(books, FAR)
    admission = Admission(books)
    asking = asyncio.create_task(admit(books, admission, "gone"))
    await asyncio.sleep(0.005)
    asking.cancel()
    await asyncio.gather(asking, *admission._asking, return_exceptions=True)

    await admission.close()

    async with books.reading() as session:
        assert [row.reserved for row in await session.scalars(select(BudgetCounter))] in ([], [0])


async def test_who_is_refused_for_want_of_a_price_holds_nothing_of_other_limits(books: Database) -> None:
    tokens = await add_budget(books, FAR, unit=Unit.TOKENS)
    await add_budget(books, FAR)
    admission = Admission(books)
    held = await admit(books, admission, "priced")

    for number in range(3):
        with pytest.raises(NoPrice):
            await admit(books, admission, f"unpriced {number}", need(price=None))

    held.let_go()
    await admission.close()
    async with books.reading() as session:
        counters = (await session.scalars(select(BudgetCounter))).all()
    assert tokens.id in {counter.budget_id for counter in counters}
    assert [counter.reserved for counter in counters] == [0, 0]
