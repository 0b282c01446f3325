"""Answers about usage, read from the sums: by bar and model, by who asked, by conversation, and how long it took.

Who may ask what is decided in `access`; a question that reaches this module is answered.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.usage import latency
from app.usage.models import ChatSum, LedgerEntry, ModelSum, ModelTime, Outcome, UsageSum
from app.usage.ranges import Range
from app.usage.rollups import FIRST_TOKEN, SUMS, TOTAL, Total

TOP_CONVERSATIONS = 8
MOST_CALLS_READ = 3_000


@dataclass(frozen=True)
class Filter:
    """What is looked at; an empty part means all of it. `model` is `connection/model`, `provider` a connection."""

    user: str = ""
    group: str = ""
    key: str = ""
    provider: str = ""
    model: str = ""
    origin: str = ""

    @property
    def names_people(self) -> bool:
        """Whether it needs the sums that know who asked."""
        return bool(self.user or self.group or self.key)


class Question(NamedTuple):
    """What is asked: about which days, and about whose and which calls."""

    range: Range
    filter: Filter

    @property
    def before(self) -> "Question":
        return Question(self.range.before, self.filter)


class What(NamedTuple):
    """A model where it is offered."""

    connection: str
    model: str

    @property
    def full_name(self) -> str:
        return f"{self.connection}/{self.model}"


class Who(NamedTuple):
    """Who asked, who paid, with which key, and from where; without a group or key the part is empty."""

    user_id: str
    group_id: str
    api_key_id: str
    origin: str


class Bar(NamedTuple):
    """A model's share of one bar of the chart."""

    bar: str
    what: What


@dataclass(frozen=True)
class Conversation:
    """A conversation that went on in the range, and what it used since its start."""

    chat_id: str
    user_id: str
    last_day: str
    total: Total


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


async def by_bar(session: AsyncSession, question: Question) -> dict[Bar, Total]:
    """Each model's use for each bar of the chart."""
    table = _table_for(question.filter)
    keys = (table.period, table.connection, table.model)
    query = _sums(table, keys, question.filter).where(table.period.in_(question.range.periods_of_bars))
    found: defaultdict[Bar, Total] = defaultdict(Total)
    for period, connection, model, *sums in await session.execute(query):
        found[Bar(question.range.bar_of(period), What(connection, model))] += _total(sums)
    return dict(found)


async def by_day(session: AsyncSession, question: Question) -> dict[str, Total]:
    """Each day's use, of the days that have any."""
    table = _table_for(question.filter)
    query = _sums(table, (table.period,), question.filter)
    rows = await session.execute(query.where(table.period.in_(question.range.periods_of_bars)))
    return {day: _total(sums) for day, *sums in rows}


async def in_all(session: AsyncSession, question: Question) -> Total:
    """Everything that fits the question."""
    table = _table_for(question.filter)
    query = _sums(table, (), question.filter).where(table.period.in_(question.range.periods))
    row = (await session.execute(query)).one()
    return _total(row)


async def by_who(session: AsyncSession, question: Question) -> dict[Who, Total]:
    """Each person's use, apart by group, key and origin."""
    keys = (UsageSum.user_id, UsageSum.group_id, UsageSum.api_key_id, UsageSum.origin)
    query = _sums(UsageSum, keys, question.filter).where(UsageSum.period.in_(question.range.periods))
    return {Who(*row[:4]): _total(row[4:]) for row in await session.execute(query)}


async def times(session: AsyncSession, question: Question) -> dict[What, Times]:
    """How long each model took. For one person their own latest calls are read; else everybody's are counted, also
    when a group, key or origin is asked for: how quick a model is does not depend on them."""
    found: defaultdict[What, Times] = defaultdict(Times)
    if question.filter.user:
        for connection, model, first_token, total, outcome in await session.execute(_own_calls(question)):
            known = found[What(connection, model)]
            if first_token is not None:
                known.add(FIRST_TOKEN, latency.bucket_of(first_token), 1)
            if outcome == Outcome.FINISHED:
                known.add(TOTAL, latency.bucket_of(total), 1)
        return dict(found)
    keys = (ModelTime.connection, ModelTime.model, ModelTime.measure, ModelTime.bucket)
    query = select(*keys, func.sum(ModelTime.count)).group_by(*keys)
    query = query.where(
        ModelTime.period.in_(question.range.periods), *_about_model(ModelTime, question.filter)
    )
    for connection, model, measure, bucket, count in await session.execute(query):
        found[What(connection, model)].add(measure, bucket, int(count))
    return dict(found)


async def conversations(
    session: AsyncSession, question: Question, limit: int = TOP_CONVERSATIONS
) -> list[Conversation] | None:
    """The dearest that went on in the range. None when they cannot be told apart by what is asked."""
    wanted = question.filter
    if wanted.key or wanted.provider or wanted.origin not in ("", "chat"):
        return None
    connection, _, model = wanted.model.partition("/")
    query = (
        select(ChatSum)
        .where(ChatSum.connection == connection, ChatSum.model == model)
        .where(ChatSum.first_day <= question.range.last.isoformat())
        .where(ChatSum.last_day >= question.range.first.isoformat())
        .order_by(ChatSum.cost_micros.desc())
        .limit(limit)
    )
    if wanted.user:
        query = query.where(ChatSum.user_id == wanted.user)
    if wanted.group:
        query = query.where(ChatSum.group_id == wanted.group)
    return [
        Conversation(row.chat_id, row.user_id, row.last_day, total_in(row))
        for row in await session.scalars(query)
    ]


async def known_models(session: AsyncSession, question: Question) -> list[What]:
    """Every model that was used in the months of the range, in alphabetical order: to choose from."""
    table = _table_for(question.filter)
    months = sorted({period[:7] for period in question.range.periods})
    query = select(table.connection, table.model).distinct().where(table.period.in_(months))
    rows = await session.execute(query.where(*conditions(table, question.filter)))
    return sorted(What(connection, model) for connection, model in rows)


async def of_conversation(session: AsyncSession, chat_id: str) -> dict[What, Total]:
    """What one conversation used since its start, by model."""
    rows = await session.scalars(select(ChatSum).where(ChatSum.chat_id == chat_id, ChatSum.connection != ""))
    return {What(row.connection, row.model): total_in(row) for row in rows}


def together(totals: Iterable[Total]) -> Total:
    """The sum of all of them."""
    total = Total()
    for part in totals:
        total += part
    return total


def all_times(of_models: Mapping[What, Times]) -> Times:
    """How long answers took, whichever model gave them."""
    merged = Times()
    for known in of_models.values():
        for measure, buckets in ((FIRST_TOKEN, known.first_token), (TOTAL, known.total)):
            for bucket, count in buckets.items():
                merged.add(measure, bucket, count)
    return merged


def summed_by(totals: Mapping[Who, Total], part: str) -> dict[str, Total]:
    """Totals by one part of who asked: `user_id`, `group_id`, `api_key_id` or `origin`."""
    summed: defaultdict[str, Total] = defaultdict(Total)
    for who, total in totals.items():
        summed[getattr(who, part)] += total
    return dict(summed)


def total_in(row: UsageSum | ModelSum | ChatSum) -> Total:
    return Total(*(getattr(row, name) for name in SUMS))


def _total(sums: Sequence[Any]) -> Total:
    """Of sums as a database returns them: nothing for no rows, and decimals on PostgreSQL."""
    return Total() if sums[0] is None else Total(*map(int, sums))


def _table_for(wanted: Filter) -> type[UsageSum] | type[ModelSum]:
    """The smallest table that knows enough."""
    return UsageSum if wanted.names_people else ModelSum


def _sums(
    table: type[UsageSum] | type[ModelSum], keys: Sequence[InstrumentedAttribute[str]], wanted: Filter
) -> Select[*tuple[Any, ...]]:
    """A row for each combination of `keys`: these, then the sums in the order of `SUMS`."""
    sums = [func.sum(getattr(table, name)) for name in SUMS]
    return select(*keys, *sums).where(*conditions(table, wanted)).group_by(*keys)


def conditions(table: type[UsageSum] | type[ModelSum], wanted: Filter) -> list[ColumnElement[bool]]:
    conditions = _about_model(table, wanted)
    if wanted.origin:
        conditions.append(table.origin == wanted.origin)
    if table is UsageSum:
        pairs = (
            (UsageSum.user_id, wanted.user),
            (UsageSum.group_id, wanted.group),
            (UsageSum.api_key_id, wanted.key),
        )
        conditions += [column == value for column, value in pairs if value]
    return conditions


def _about_model(
    table: type[UsageSum] | type[ModelSum] | type[ModelTime], wanted: Filter
) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.provider:
        conditions.append(table.connection == wanted.provider)
    if wanted.model:
        connection, _, model = wanted.model.partition("/")
        conditions += [table.connection == connection, table.model == model]
    return conditions


def _own_calls(question: Question) -> Select[str, str, int | None, int, str]:
    """One person's latest calls from the ledger itself, read one by one: bounded, and enough for percentiles."""
    wanted, entry = question.filter, LedgerEntry
    query = (
        select(entry.connection, entry.model, entry.first_token_ms, entry.total_ms, entry.outcome)
        .where(entry.user_id == wanted.user, entry.correction_of.is_(None))
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
