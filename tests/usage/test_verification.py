"""The books agree, and whatever does not is found: each kind of difference, also while others write."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.core.clock import now
from app.core.database import Database
from app.core.settings import ROOT
from app.usage import budgets, counters, ledger, verification
from app.usage.ledger import Entry
from app.usage.models import Budget, BudgetScope, Outcome, Period, Unit

CALLS = 120
AT = now()


def call(cost: int, *, ago: timedelta = timedelta()) -> Entry:
    """A call of Alice's in a conversation."""
    return Entry(
        at=AT - ago,
        user_id="alice",
        group_id="design",
        connection="openai",
        model="gpt-5",
        origin="chat:harbour",
        input_tokens=100,
        output_tokens=50,
        is_estimate=False,
        outcome=Outcome.FINISHED,
        total_ms=1_500,
        first_token_ms=300,
        cost_micros=cost,
    )


async def limited(books: Database, scope: str, subject: str, *, at: datetime = AT) -> None:
    """A budget with its counter for the month of `at`."""
    async with books.writing() as session:
        budget = Budget(scope=scope, subject=subject, unit=Unit.USD, period=Period.MONTH, amount=10**12)
        session.add(budget)
        await session.flush()
        book = await budgets.read_book(session)
        await counters.open_all(session, [book.purse(budget, subject, at)])


async def found_wrong(books: Database) -> list[str]:
    async with books.snapshot() as session:
        return [str(found) for found in await verification.disagreements(session, AT)]


@pytest.fixture
async def kept_books(books: Database) -> Database:
    """A few calls, today and last year, and two budgets that count them."""
    async with books.writing() as session:
        await ledger.record(session, [call(1_000), call(200), call(30, ago=timedelta(days=400))])
    await limited(books, BudgetScope.WORKSPACE, "")
    await limited(books, BudgetScope.USER, "alice")
    assert await found_wrong(books) == [], "the premise: nothing is wrong before"
    return books


@pytest.mark.parametrize(
    ("plant", "sentence"),
    [
        (
            "UPDATE usage_sums SET cost_micros = cost_micros + 1 WHERE length(period) = 7",
            "cost_micros is 1201",
        ),
        ("UPDATE usage_person_sums SET requests = 0", "usage_person_sums"),
        ("UPDATE usage_model_sums SET input_tokens = input_tokens - 1", "input_tokens is 199"),
        ("DELETE FROM usage_model_sums WHERE length(period) = 10", "requests is 0, the ledger says 2"),
        ("UPDATE usage_model_times SET count = count + 1", "count is 3, the ledger says 2"),
        (
            "UPDATE usage_chat_sums SET output_tokens = 7 WHERE model = ''",
            "harbour, -, -: output_tokens is 7",
        ),
        ("DELETE FROM ledger_entries WHERE cost_micros = 200", "spent is 1200, the ledger says 1000"),
        ("UPDATE budget_counters SET spent = spent - 1 WHERE subject = ''", "spent is 1199"),
        ("UPDATE budget_counters SET reserved = 5 WHERE subject = 'alice'", "reserved is 5, calls hold 0"),
    ],
)
async def test_every_kind_of_difference_is_found(kept_books: Database, plant: str, sentence: str) -> None:
    async with kept_books.writing() as session:
        assert (await session.execute(text(plant))).rowcount > 0  # type: ignore[attr-defined]

    wrong = await found_wrong(kept_books)

    assert any(sentence in one for one in wrong), wrong


async def test_what_is_wrong_is_added_up_again(kept_books: Database) -> None:
    async with kept_books.writing() as session:
        for table in ("usage_sums", "usage_person_sums", "usage_chat_sums"):
            await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        await session.execute(text("UPDATE usage_model_sums SET failed = 9"))
        await session.execute(text("UPDATE budget_counters SET spent = 0"))
    assert await found_wrong(kept_books)

    async with kept_books.writing() as session:
        assert await verification.rebuild(session, AT) == 3

    assert await found_wrong(kept_books) == []


async def test_nothing_seems_wrong_while_others_write(books: Database, url: str) -> None:
    await limited(books, BudgetScope.WORKSPACE, "")
    await limited(books, BudgetScope.USER, "alice")
    command = [sys.executable, "-m", "tests.usage.spender", url, str(CALLS)]
    spender = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    looks = 0
    while spender.returncode is None and looks < 1_000:
        assert await found_wrong(books) == []
        looks += 1
        await asyncio.sleep(0.02)
    told, _ = await spender.communicate()

    assert int(told) == CALLS
    assert looks > 1
    assert await found_wrong(books) == []


async def test_a_snapshot_stays_as_it_was(books: Database) -> None:
    async with books.snapshot() as session:
        assert await verification.count(session) == 0
        async with books.writing() as writing:
            await ledger.record(writing, [call(1)])
        assert await verification.count(session) == 0
    async with books.snapshot() as session:
        assert await verification.count(session) == 1


async def test_a_budget_of_last_month_is_no_concern_any_more(books: Database) -> None:
    await limited(books, BudgetScope.WORKSPACE, "", at=datetime(2026, 1, 1, tzinfo=UTC))
    async with books.writing() as session:
        await session.execute(text("UPDATE budget_counters SET spent = 5"))

    assert await found_wrong(books) == []
