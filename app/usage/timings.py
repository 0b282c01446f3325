"""How long answers took, by model: from counts in buckets, or, for one person, from their own latest calls."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.usage import latency
from app.usage.days import ONE_DAY
from app.usage.models import LedgerEntry, ModelTime, Outcome
from app.usage.questions import Filter, Question, What
from app.usage.ranges import Range
from app.usage.reports import about_model
from app.usage.rollups import FIRST_TOKEN, TOTAL

MOST_CALLS_READ = 3_000


@dataclass
class Times:
    """How long answers took, in buckets of `latency`."""

    first_token: dict[int, int] = field(default_factory=dict)
    total: dict[int, int] = field(default_factory=dict)

    def add(self, measure: str, bucket: int, count: int) -> None:
        buckets = self.first_token if measure == FIRST_TOKEN else self.total
        buckets[bucket] = buckets.get(bucket, 0) + count

    @property
    def first_token_p50(self) -> int | None:
        return latency.percentile(self.first_token, 0.5)

    @property
    def first_token_p95(self) -> int | None:
        return latency.percentile(self.first_token, 0.95)

    @property
    def total_p50(self) -> int | None:
        return latency.percentile(self.total, 0.5)

    @property
    def total_p95(self) -> int | None:
        return latency.percentile(self.total, 0.95)


Counts = dict[tuple[str, str], Times]
"""By connection and model."""


async def times(session: AsyncSession, question: Question) -> dict[What, Times]:
    """How long each model took. For one person their own latest calls are read; else everybody's are counted, also
    when a group, key or origin is asked for: how quick a model is does not depend on them."""
    counted: Counts = defaultdict(Times)
    if question.filter.user:
        await _count_own_calls(session, question, counted)
    else:
        await _count_everybody(session, question, counted)
    return {What(*key): known for key, known in counted.items()}


def all_times(of_models: Mapping[What, Times]) -> Times:
    """How long answers took, whichever model gave them."""
    merged = Times()
    for known in of_models.values():
        for measure, buckets in ((FIRST_TOKEN, known.first_token), (TOTAL, known.total)):
            for bucket, count in buckets.items():
                merged.add(measure, bucket, count)
    return merged


async def _count_everybody(session: AsyncSession, question: Question, counted: Counts) -> None:
    cover = question.range.cover
    for sign, periods in ((1, cover.added), (-1, cover.taken_away)):
        if periods:
            rows = await session.execute(_counts(periods, question.filter))
            for connection, model, measure, bucket, count in rows:
                counted[connection, model].add(measure, bucket, sign * int(count))


def _counts(periods: list[str], wanted: Filter) -> Select[str, str, str, int, int]:
    keys = (ModelTime.connection, ModelTime.model, ModelTime.measure, ModelTime.bucket)
    query = select(*keys, func.sum(ModelTime.count)).group_by(*keys)
    return query.where(ModelTime.period.in_(periods), *about_model(ModelTime, wanted))


async def _count_own_calls(session: AsyncSession, question: Question, counted: Counts) -> None:
    for connection, model, first_token, total, outcome in await session.execute(_own_calls(question)):
        known = counted[connection, model]
        if first_token is not None:
            known.add(FIRST_TOKEN, latency.bucket_of(first_token), 1)
        if outcome == Outcome.FINISHED:
            known.add(TOTAL, latency.bucket_of(total), 1)


def _own_calls(question: Question) -> Select[str, str, int | None, int, str]:
    """One person's latest calls from the ledger itself, read one by one: bounded, and enough for percentiles."""
    wanted, entry = question.filter, LedgerEntry
    query = (
        select(entry.connection, entry.model, entry.first_token_ms, entry.total_ms, entry.outcome)
        .where(entry.user_id == wanted.user, entry.correction_of.is_(None))
        .where(entry.at.between(*_moments_around(question.range)))
        .where(entry.day.between(question.range.first.isoformat(), question.range.last.isoformat()))
        .order_by(entry.at.desc())
        .limit(MOST_CALLS_READ)
    )
    pairs = (
        (entry.group_id, wanted.group),
        (entry.api_key_id, wanted.key),
        (entry.connection, wanted.provider),
    )
    query = query.where(*(column == value for column, value in pairs if value))
    if wanted.model:
        connection, _, model = wanted.model.partition("/")
        query = query.where(entry.connection == connection, entry.model == model)
    return query.where(entry.origin.startswith(wanted.origin, autoescape=True)) if wanted.origin else query


def _moments_around(wanted: Range) -> tuple[datetime, datetime]:
    """Between these lie the days of the range, wherever on earth they begin: what an index can look up."""
    first, last = wanted.first - ONE_DAY, wanted.last + 2 * ONE_DAY
    return datetime.combine(first, time(), UTC), datetime.combine(last, time(), UTC)
