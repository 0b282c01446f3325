"""Sums are kept beside the ledger, and agree with it whatever happened in whichever order."""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as some
from sqlalchemy import delete, func, select, update

from app.accounts.models import Workspace
from app.core.clock import now
from app.core.database import Database
from app.core.ids import new_id
from app.core.settings import Settings
from app.usage import latency, ledger, verification
from app.usage.ledger import Entry
from app.usage.models import ChatSum, LedgerEntry, ModelSum, ModelTime, Outcome, PersonSum, UsageSum
from app.usage.rollups import SUMS, Batch, Total, total_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AN_ENTRY = Entry(
    at=NOON,
    user_id="alice",
    connection="openai",
    model="gpt-5",
    origin="chat:harbour",
    input_tokens=100,
    output_tokens=50,
    is_estimate=False,
    outcome=Outcome.FINISHED,
    total_ms=1_500,
    first_token_ms=300,
    cache_read_tokens=40,
    cache_write_tokens=10,
    reasoning_tokens=20,
    cost_micros=1_200,
)

entries = some.builds(
    Entry,
    at=some.integers(0, 400).map(lambda hours: NOON - timedelta(hours=7 * hours)),
    user_id=some.sampled_from(["alice", "bob", "charlie"]),
    group_id=some.sampled_from([None, "design", "research"]),
    api_key_id=some.sampled_from([None, "nightly"]),
    connection=some.sampled_from(["openai", "house"]),
    model=some.sampled_from(["gpt-5", "gpt-5-mini"]),
    origin=some.sampled_from(["chat:harbour", "chat:lamp", "api"]),
    input_tokens=some.integers(0, 200_000),
    output_tokens=some.integers(0, 10_000),
    cache_read_tokens=some.integers(0, 100),
    cache_write_tokens=some.integers(0, 100),
    reasoning_tokens=some.integers(0, 100),
    is_estimate=some.booleans(),
    outcome=some.sampled_from(Outcome),
    total_ms=some.integers(0, 600_000),
    first_token_ms=some.none() | some.integers(0, 60_000),
    cost_micros=some.none() | some.integers(0, 5_000_000),
    correction_of=some.just(None),
    day=some.just(""),
    error_code=some.just(""),
    price=some.just(""),
    price_source=some.just(""),
)


def corrections_of(written: Sequence[LedgerEntry], wanted: Sequence[Entry]) -> list[Entry]:
    """Each correction says what one of the written rows should have been."""
    pairs = zip(written, wanted, strict=False)
    return [
        ledger.correction(
            [wrong], replace(right, id=wrong.id, at=wrong.at, user_id=wrong.user_id, origin=wrong.origin)
        )
        for wrong, right in pairs
    ]


def in_batches(written: Sequence[Entry], sizes: Sequence[int]) -> Iterator[list[Entry]]:
    waiting = iter(written)
    for size in sizes:
        yield list(islice(waiting, size))
    yield list(waiting)


async def empty(database: Database) -> None:
    async with database.writing() as session:
        for table in (LedgerEntry, UsageSum, PersonSum, ModelSum, ModelTime, ChatSum):
            await session.execute(delete(table))


async def record(database: Database, *written: Entry) -> None:
    """Each as a call of its own."""
    async with database.writing() as session:
        await ledger.record(session, [replace(entry, id=new_id()) for entry in written])


async def found_wrong(database: Database) -> list[str]:
    async with database.snapshot() as session:
        return [str(found) for found in await verification.disagreements(session, now())]


@with_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    some.lists(entries, max_size=40),
    some.lists(some.integers(1, 9), max_size=6),
    some.lists(entries, max_size=5),
)
def test_sums_agree_with_the_ledger_whatever_the_order(
    data_dir: Path, written: list[Entry], sizes: list[int], wanted: list[Entry]
) -> None:
    async def story() -> None:
        database = Database(Settings(data_dir=data_dir, _env_file=None).resolved_database_url)
        await empty(database)
        for batch in in_batches(written, sizes):
            await record(database, *batch)
        async with database.reading() as session:
            rows = list(await session.scalars(select(LedgerEntry)))
        await record(database, *corrections_of(rows, wanted))

        assert await found_wrong(database) == []
        await _every_table_sums_up_to_the_same(database)
        async with database.writing() as session:
            await verification.rebuild(session, now())
        assert await found_wrong(database) == [], "added up again by the database, it is the same"
        await empty(database)
        await database.close()

    asyncio.run(story())


async def _every_table_sums_up_to_the_same(database: Database) -> None:
    async with database.reading() as session:
        total = Total()
        for entry in await session.scalars(select(LedgerEntry)):
            total += total_of(entry)
        for name in SUMS:
            expected = getattr(total, name)
            for table in (UsageSum, PersonSum, ModelSum):
                for period in (table.period.like("____-__"), table.period.like("____-__-__")):
                    kept = await session.scalar(select(func.sum(getattr(table, name))).where(period)) or 0
                    assert kept == expected, (table.__tablename__, name)


@given(some.lists(entries, max_size=20), some.randoms())
def test_the_order_within_a_batch_does_not_matter(written: list[Entry], chance: object) -> None:
    dated = [replace(entry, day=entry.at.date().isoformat()) for entry in written]
    shuffled = sorted(dated, key=lambda _: chance.random())  # type: ignore[attr-defined]

    one, other = Batch.of(dated), Batch.of(shuffled)

    assert (one.who_and_what, one.who, one.what, one.times, one.chats) == (
        other.who_and_what,
        other.who,
        other.what,
        other.times,
        other.chats,
    )


async def test_what_is_summed(database: Database) -> None:
    unpriced = replace(AN_ENTRY, cost_micros=None, outcome=Outcome.STOPPED, user_id="bob")
    refused = replace(
        AN_ENTRY,
        cost_micros=None,
        outcome=Outcome.FAILED,
        input_tokens=0,
        output_tokens=0,
        first_token_ms=None,
    )
    await record(database, AN_ENTRY, unpriced, refused)

    async with database.reading() as session:
        month = await session.scalar(select(ModelSum).where(ModelSum.period == "2026-11"))
        chat = await session.get(ChatSum, ("harbour", "", ""))
        times = {time.measure: time for time in await session.scalars(select(ModelTime))}
    assert month is not None
    assert chat is not None
    assert (month.requests, month.input_tokens, month.output_tokens, month.cost_micros) == (
        3,
        200,
        100,
        1_200,
    )
    assert (month.unpriced, month.stopped, month.failed) == (1, 1, 1), "what used nothing needs no price"
    assert (chat.requests, chat.first_day, chat.last_day) == (3, "2026-11-20", "2026-11-20")
    assert times["first_token"].count == 2
    assert times["total"].count == 1, "only a whole answer says how long answers take"


async def test_a_correction_is_no_further_request(database: Database) -> None:
    await record(database, AN_ENTRY)
    async with database.reading() as session:
        wrong = await session.scalar(select(LedgerEntry))
    assert wrong is not None
    right = replace(AN_ENTRY, id=wrong.id, output_tokens=30, cost_micros=900)
    await record(database, ledger.correction([wrong], right))

    async with database.reading() as session:
        day = await session.scalar(select(UsageSum).where(UsageSum.period == "2026-11-20"))
    assert day is not None
    assert (day.requests, day.output_tokens, day.cost_micros) == (1, 30, 900)
    assert await found_wrong(database) == []


async def test_a_day_begins_where_the_workspace_is(database: Database) -> None:
    async with database.writing() as session:
        session.add(Workspace(id=1, timezone="Pacific/Auckland"))
    await record(database, AN_ENTRY)

    async with database.writing() as session:
        assert await session.scalar(select(LedgerEntry.day)) == "2026-11-21"
        # A workspace that moves keeps its history as it was.
        await session.execute(update(Workspace).values(timezone="UTC"))
    assert await found_wrong(database) == []


async def test_a_wrong_sum_is_found_and_can_be_added_up_again(database: Database) -> None:
    await record(database, AN_ENTRY)
    async with database.writing() as session:
        await session.execute(update(UsageSum).where(UsageSum.period == "2026-11").values(cost_micros=7))

    assert await found_wrong(database) == [
        "usage_sums, 2026-11, alice, -, -, openai, gpt-5, chat: cost_micros is 7, the ledger says 1200."
    ]
    async with database.writing() as session:
        assert await verification.rebuild(session, now()) == 1
    assert await found_wrong(database) == []


class TestOnPostgres:
    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_writers_at_once_neither_lose_a_sum_nor_wait_in_a_circle(
        self, app: FastAPI, database: Database
    ) -> None:
        people = [
            replace(AN_ENTRY, user_id=name, model=model) for name in "abcd" for model in ("x", "y", "z")
        ]

        await asyncio.gather(*(record(database, *people[turn:], *people[:turn]) for turn in range(12)))

        assert await found_wrong(database) == []
        async with database.reading() as session:
            requests = select(func.sum(ModelSum.requests)).where(ModelSum.period == "2026-11")
            assert await session.scalar(requests) == 144


def exact_percentile(milliseconds: Sequence[int], share: float) -> int:
    """The smallest duration that at least `share` of them do not exceed."""
    return sorted(milliseconds)[max(0, math.ceil(share * len(milliseconds)) - 1)]


@given(some.lists(some.integers(1, 600_000), min_size=1, max_size=200), some.sampled_from([0.5, 0.95]))
def test_a_percentile_from_buckets_is_nearly_the_exact_one(durations: list[int], share: float) -> None:
    buckets: dict[int, int] = {}
    for duration in durations:
        bucket = latency.bucket_of(duration)
        buckets[bucket] = buckets.get(bucket, 0) + 1

    read, exact = latency.percentile(buckets, share), exact_percentile(durations, share)

    assert read is not None
    assert exact / 1.2 - 1 <= read <= exact * 1.2 + 1


@given(some.integers(0, 123))
def test_a_bucket_begins_where_the_one_before_ends(bucket: int) -> None:
    least = latency.least_of(bucket)

    assert latency.bucket_of(least) >= bucket
    assert least == 1 or latency.bucket_of(least - 1) < bucket


def test_without_an_answer_there_is_no_percentile() -> None:
    assert latency.percentile({}, 0.5) is None
