"""Whatever was used and whatever is asked: what a report says is what the ledger adds up to."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as some

from app.core.database import Database
from app.core.settings import Settings
from app.usage import ledger, ranges, reports, rollups, timings
from app.usage.ledger import Entry
from app.usage.models import Outcome
from app.usage.questions import Filter, Measure, Question, What, Who
from app.usage.ranges import Grain
from app.usage.rollups import Total
from tests.usage.test_rollups import empty

TODAY = date(2026, 11, 20)
PEOPLE, GROUPS, KEYS = ["alice", "bob"], ["design", "research"], ["nightly"]
MODELS = [What("openai", "gpt-5"), What("openai", "mini"), What("house", "gpt-5")]
ORIGINS = ["chat:harbour", "chat:lamp", "api"]


@dataclass(frozen=True)
class Call:
    """What differs between the calls of this story."""

    days_ago: int
    user: str
    group: str | None
    key: str | None
    what: What
    origin: str
    tokens: int
    cost: int | None

    @property
    def entry(self) -> Entry:
        return Entry(
            at=datetime(2026, 11, 20, 12, tzinfo=UTC) - timedelta(days=self.days_ago),
            user_id=self.user,
            group_id=self.group,
            api_key_id=self.key,
            connection=self.what.connection,
            model=self.what.model,
            origin=self.origin,
            input_tokens=self.tokens,
            output_tokens=self.tokens // 2,
            is_estimate=False,
            outcome=Outcome.FINISHED,
            total_ms=self.tokens,
            first_token_ms=self.tokens // 3,
            cost_micros=self.cost,
        )


calls = some.builds(
    Call,
    days_ago=some.integers(0, 120),
    user=some.sampled_from(PEOPLE),
    group=some.sampled_from([None, *GROUPS]),
    key=some.sampled_from([None, *KEYS]),
    what=some.sampled_from(MODELS),
    origin=some.sampled_from(ORIGINS),
    tokens=some.integers(1, 100_000),
    cost=some.none() | some.integers(0, 10**9),
)
filters = some.builds(
    Filter,
    user=some.sampled_from(["", *PEOPLE]),
    group=some.sampled_from(["", *GROUPS]),
    key=some.sampled_from(["", "", *KEYS]),
    provider=some.sampled_from(["", "", "house"]),
    model=some.sampled_from(["", "", *(what.full_name for what in MODELS)]),
    origin=some.sampled_from(["", "", "chat", "api"]),
)
wishes = some.fixed_dictionaries({"period": some.sampled_from(["7d", "month", "year"])}) | some.tuples(
    some.integers(0, 130), some.integers(0, 130)
).map(
    lambda ago: {
        "first": (TODAY - timedelta(days=max(ago))).isoformat(),
        "last": (TODAY - timedelta(days=min(ago))).isoformat(),
    }
)


@with_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(calls, max_size=40), wishes, some.sampled_from(Grain), filters)
def test_reports_say_what_the_ledger_adds_up_to(
    data_dir: Path, made: list[Call], wish: dict[str, str], grain: Grain, wanted: Filter
) -> None:
    async def story() -> None:
        database = Database(Settings(data_dir=data_dir, _env_file=None).resolved_database_url)
        await empty(database)
        async with database.writing() as session:
            await ledger.record(session, [call.entry for call in made])
        asked = Question(ranges.chosen(TODAY, **wish, grain=grain), wanted)
        await _compare(database, asked, [call for call in made if _fits(call, asked)])
        await empty(database)
        await database.close()

    asyncio.run(story())


async def _compare(database: Database, asked: Question, fitting: Sequence[Call]) -> None:
    async with database.reading() as session:
        total = await reports.in_all(session, asked)
        by_model = await reports.by_model(session, asked)
        by_who = await reports.by_who(session, asked)
        bars = {measure: await reports.by_bar(session, asked, measure) for measure in Measure}
        times = await timings.times(session, _of_everybody(asked))
    assert total == _total_of(fitting)
    assert by_model == {
        what: _total_of([call for call in fitting if call.what == what])
        for what in {call.what for call in fitting}
    }
    assert by_who == {
        who: _total_of([call for call in fitting if _who(call) == who]) for who in map(_who, fitting)
    }
    for measure, amounts in bars.items():
        assert sum(amounts.values()) == measure.of(total)
        assert {bar.bar for bar in amounts} <= set(asked.range.bars)
    for what, totals in by_model.items():
        if not (asked.filter.user or asked.filter.group or asked.filter.key or asked.filter.origin):
            assert sum(times[what].total.values()) == totals.requests


def _of_everybody(asked: Question) -> Question:
    """The same without a person, whose own times are read from the ledger itself."""
    return asked._replace(filter=replace(asked.filter, user=""))


def _fits(call: Call, asked: Question) -> bool:
    wanted, day = asked.filter, TODAY - timedelta(days=call.days_ago)
    pairs = (
        (wanted.user, call.user),
        (wanted.group, call.group),
        (wanted.key, call.key),
        (wanted.provider, call.what.connection),
        (wanted.model, call.what.full_name),
        (wanted.origin, call.origin.partition(":")[0]),
    )
    return asked.range.first <= day <= asked.range.last and all(
        not asked_for or asked_for == had for asked_for, had in pairs
    )


def _who(call: Call) -> Who:
    return Who(call.user, call.group or "", call.key or "", call.origin.partition(":")[0])


def _total_of(some_calls: Sequence[Call]) -> Total:
    return reports.together(rollups.total_of(call.entry) for call in some_calls)
