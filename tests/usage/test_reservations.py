"""Reserve, then settle: nobody gets past a hard limit, however many try at once and in whatever order."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.core.clock import now
from app.core.database import Database
from app.core.settings import ROOT
from app.usage import budgets, reservations
from app.usage.admission import Admission
from app.usage.counters import Standing
from app.usage.ledger import Entry
from app.usage.models import (
    Budget,
    BudgetCounter,
    BudgetScope,
    LedgerEntry,
    Outcome,
    Period,
    Reservation,
    Unit,
)
from app.usage.needs import Need, NoPrice, NoRoom, output_paid_for
from app.usage.pricing import Price, PriceSource, Rates
from app.usage.purses import Book, Payer
from app.usage.reservations import Hold, Settled, expire, renew
from tests.usage.spender import COST, INPUT, OUTPUT

PAID_FOR = 50
PRICE = Price(Rates(1_000_000, 1_000_000), PriceSource.OVERRIDE)
"""A micro-dollar for each token."""
ALICE = Payer("alice", "echo/echo", group_id="design", api_key_id=None)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def add_budget(
    books: Database,
    amount: int,
    *,
    scope: str = BudgetScope.WORKSPACE,
    subject: str = "",
    unit: str = Unit.USD,
    period: str = Period.MONTH,
    is_hard: bool = True,
) -> Budget:
    async with books.writing() as session:
        budget = Budget(
            scope=scope, subject=subject, unit=unit, period=period, amount=amount, is_hard=is_hard
        )
        session.add(budget)
    return budget


def need(input_tokens: int = 100, output_tokens: int = 400, price: Price | None = PRICE) -> Need:
    return Need(input_tokens, input_tokens, output_tokens, price)


def entry(cost: int, at: datetime, payer: Payer = ALICE) -> Entry:
    connection, _, model = payer.model.partition("/")
    return Entry(
        at=at,
        user_id=payer.user_id,
        group_id=payer.group_id,
        api_key_id=payer.api_key_id,
        connection=connection,
        model=model,
        origin="api",
        input_tokens=cost,
        output_tokens=0,
        is_estimate=False,
        outcome=Outcome.FINISHED,
        total_ms=1,
        cost_micros=cost,
    )


async def hold(
    books: Database, call_id: str, wanted: Need, at: datetime = NOON, payer: Payer = ALICE
) -> int | None:
    """Each call by a process of its own: near these limits, all of them ask the database."""
    async with books.reading() as session:
        purses = (await budgets.read_book(session)).binding(payer, at)
    return (await Admission(books).admit(call_id, purses, wanted)).output_tokens


async def settle(books: Database, call_id: str, cost: int, at: datetime = NOON, payer: Payer = ALICE) -> None:
    async with books.writing() as session:
        kept = Hold(call_id, is_kept=True)
        await reservations.settle(session, [Settled(entry(cost, at, payer), kept)])


def allowed_of(url: str, *, processes: int, calls_each: int) -> int:
    """How many calls were allowed in all, when so many processes make so many each, all at once."""
    command = [sys.executable, "-m", "tests.usage.spender", url, str(calls_each)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(processes)]
    return sum(int(process.communicate(timeout=120)[0]) for process in running)


async def counted(books: Database, budget: Budget) -> dict[datetime, tuple[int, int]]:
    """What is spent and reserved, by period."""
    async with books.reading() as session:
        rows = await session.scalars(select(BudgetCounter).where(BudgetCounter.budget_id == budget.id))
        return {row.period_start: (row.spent, row.reserved) for row in rows}


async def test_of_200_calls_in_4_processes_exactly_50_are_paid_for(books: Database, url: str) -> None:
    workspace = await add_budget(books, PAID_FOR * COST)
    for scope, subject in ((BudgetScope.GROUP, "design"), (BudgetScope.USER, "alice")):
        await add_budget(books, 10 * PAID_FOR * COST, scope=scope, subject=subject)

    assert allowed_of(url, processes=4, calls_each=50) == PAID_FOR

    assert list((await counted(books, workspace)).values()) == [(PAID_FOR * COST, 0)]
    async with books.reading() as session:
        assert await session.scalar(select(func.sum(LedgerEntry.cost_micros))) == PAID_FOR * COST
        assert await session.scalar(select(func.count()).select_from(Reservation)) == 0


async def test_of_requests_exactly_the_permitted_number_pass(books: Database, url: str) -> None:
    await add_budget(books, PAID_FOR, unit=Unit.REQUESTS, period=Period.DAY)

    assert allowed_of(url, processes=2, calls_each=40) == PAID_FOR


async def test_the_true_cost_takes_the_place_of_what_was_reserved(books: Database) -> None:
    budget = await add_budget(books, 1_000)

    assert await hold(books, "call", need()) == 400
    assert list((await counted(books, budget)).values()) == [(0, 500)]
    await settle(books, "call", 120)

    assert list((await counted(books, budget)).values()) == [(120, 0)]


async def test_who_is_refused_holds_nothing_of_any_budget(books: Database) -> None:
    plenty = await add_budget(books, 10_000, scope=BudgetScope.USER, subject="alice")
    little = await add_budget(books, 300)

    with pytest.raises(NoRoom) as refusal:
        await hold(books, "call", need())

    assert refusal.value.standing.budget.id == little.id
    assert refusal.value.needed == 100 + 256
    assert {reserved for _, reserved in (await counted(books, plenty)).values()} <= {0}


async def test_an_answer_is_kept_as_short_as_the_budget_needs(books: Database) -> None:
    await add_budget(books, 800)

    assert await hold(books, "long", need(output_tokens=10_000)) == 700
    with pytest.raises(NoRoom) as refusal:
        await hold(books, "late", need())

    assert refusal.value.is_held_by_others, "the first may use less in the end"


def test_of_a_budget_that_is_running_out_something_is_left_for_others() -> None:
    purse = Book((Budget(id="b", scope="workspace", subject="", unit="usd", period="day", amount=20_000),))
    (found,) = purse.purses_of(ALICE, NOON)

    assert output_paid_for([Standing(found, 20_000)], need(0, 15_000)) == 15_000
    assert output_paid_for([Standing(found, 20_000)], need(0, 50_000)) == 10_000
    assert output_paid_for([Standing(found, 20_000, spent=15_000)], need(0, 50_000)) == 5_000


async def test_what_was_used_before_the_budget_was_made_counts(books: Database) -> None:
    for at in (NOON - timedelta(days=60), NOON - timedelta(days=3)):
        await settle(books, "none", 700, at)
    await add_budget(books, 1_000)

    with pytest.raises(NoRoom) as refusal:
        await hold(books, "call", need())

    assert refusal.value.standing.spent == 700


async def test_a_new_period_starts_with_a_full_purse(books: Database) -> None:
    budget = await add_budget(books, 500, period=Period.DAY)
    await hold(books, "first", need())
    tomorrow = NOON + timedelta(days=1)

    await hold(books, "second", need(), at=tomorrow)
    # It began yesterday and ends today: it counts to the day on which it was allowed.
    await settle(books, "first", 450, at=NOON)

    midnight = NOON.replace(hour=0)
    assert await counted(books, budget) == {
        midnight: (450, 0),
        midnight + timedelta(days=1): (0, 500),
    }


async def test_what_a_killed_process_held_is_free_again(books: Database) -> None:
    budget = await add_budget(books, 500)
    await hold(books, "killed", need())
    await hold_nothing_more(books)

    async with books.writing() as session:
        await session.execute(update(Reservation).values(expires_at=now() - timedelta(seconds=1)))
    async with books.writing() as session:
        assert await expire(session, now()) == 1

    assert await hold(books, "next", need()) == 400
    await settle(books, "killed", 450)
    assert list((await counted(books, budget)).values()) == [(450, 500)], "it was alive after all"


async def hold_nothing_more(books: Database) -> None:
    with pytest.raises(NoRoom):
        await hold(books, "another", need())


async def test_what_a_running_call_holds_does_not_expire(books: Database) -> None:
    await add_budget(books, 500)
    await hold(books, "long", need())
    async with books.writing() as session:
        await session.execute(update(Reservation).values(expires_at=now() - timedelta(seconds=1)))
        await renew(session, ["long"])
        assert await expire(session, now()) == 0


async def test_a_limit_that_was_lowered_meanwhile_counts(books: Database) -> None:
    budget = await add_budget(books, 10_000)
    async with books.reading() as session:
        old_book = await budgets.read_book(session)
    async with books.writing() as session:
        await session.execute(update(Budget).where(Budget.id == budget.id).values(amount=100))

    with pytest.raises(NoRoom):
        await Admission(books).admit("call", old_book.binding(ALICE, NOON), need())


async def test_a_budget_that_was_removed_meanwhile_refuses_nobody(books: Database) -> None:
    budget = await add_budget(books, 0)
    async with books.reading() as session:
        old_book = await budgets.read_book(session)
    async with books.writing() as session:
        await session.delete(await session.get_one(Budget, budget.id))

    hold = await Admission(books).admit("call", old_book.binding(ALICE, NOON), need())
    assert hold.output_tokens == 400


async def test_without_a_price_money_cannot_be_limited(books: Database) -> None:
    await add_budget(books, 1_000)
    with pytest.raises(NoPrice):
        await hold(books, "call", need(price=None))


async def test_more_than_was_reserved_is_counted_all_the_same(books: Database) -> None:
    budget = await add_budget(books, 500)
    await hold(books, "call", need())
    await settle(books, "call", 900)

    assert list((await counted(books, budget)).values()) == [(900, 0)]
    await hold_nothing_more(books)


def test_what_is_for_one_alone_goes_before_what_is_for_each() -> None:
    def budget(name: str, subject: str, **more: bool) -> Budget:
        return Budget(
            id=name, scope="user", subject=subject, unit="usd", period="month", amount=1, is_hard=True, **more
        )

    each, alice, own = budget("each", "*"), budget("alice", "alice"), budget("own", "alice", is_own=True)

    def binding(*of: Budget, payer: Payer = ALICE) -> set[str]:
        return {purse.budget.id for purse in Book(of).binding(payer, NOON)}

    bob = Payer("bob", "echo/echo")
    assert binding(each, alice, own) == {"alice", "own"}
    assert binding(each, own) == {"each", "own"}
    assert binding(each, alice, own, payer=bob) == {"each"}


def test_spender_and_test_mean_the_same_cost() -> None:
    assert COST == INPUT + OUTPUT == need().amount(Budget(unit="usd", period="month"), OUTPUT)
