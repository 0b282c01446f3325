"""Answers about usage, read from the sums: by bar, by model, by who asked, and by conversation.

Who may ask what is decided in `access`; a question that reaches this module is answered.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.usage.models import ChatSum, LedgerEntry, ModelSum, ModelTime, PersonSum, UsageSum
from app.usage.questions import Bar, Filter, Measure, Question, What, Who
from app.usage.rollups import SUMS, Total

TOP_CONVERSATIONS = 8
DAY = timedelta(days=1)
SumTable = type[UsageSum] | type[PersonSum] | type[ModelSum]
WhatTable = type[UsageSum] | type[ModelSum]
"""The tables that know models."""
Column = InstrumentedAttribute[str]


@dataclass(frozen=True)
class Conversation:
    """A conversation that went on in the range, and what it used since its start."""

    chat_id: str
    user_id: str
    last_day: str
    total: Total


async def by_bar(session: AsyncSession, question: Question, measure: Measure) -> dict[Bar, int]:
    """What each model amounts to in each bar of the chart."""
    table = _table_of_models(question.filter)
    wanted = question.range
    bars = {period: wanted.bar_of(period) for period in wanted.periods_of_bars}
    keys = (table.period, table.connection, table.model)
    query = select(*keys, func.sum(_measured(table, measure))).group_by(*keys)
    rows = await session.execute(query.where(*_fits(table, question.filter), table.period.in_(bars)))
    found: defaultdict[Bar, int] = defaultdict(int)
    for period, connection, model, amount in rows:
        found[Bar(bars[period], What(connection, model))] += int(amount)
    return dict(found)


async def by_day(session: AsyncSession, question: Question, measure: Measure) -> dict[str, int]:
    """What each day amounts to, of the days that have any use."""
    table = _smallest_table(question.filter)
    query = select(table.period, func.sum(_measured(table, measure))).group_by(table.period)
    query = query.where(*_fits(table, question.filter), table.period.in_(question.range.periods_of_bars))
    return {day: int(amount) for day, amount in await session.execute(query)}


async def by_model(session: AsyncSession, question: Question) -> dict[What, Total]:
    """Each model's use."""
    table = _table_of_models(question.filter)
    found = await _summed(session, table, (table.connection, table.model), question)
    return {What(*key): total for key, total in found.items()}


async def by_who(session: AsyncSession, question: Question) -> dict[Who, Total]:
    """Each person's use, apart by group, key and origin."""
    table = UsageSum if question.filter.names_models else PersonSum
    keys = (table.user_id, table.group_id, table.api_key_id, table.origin)
    return {Who(*key): total for key, total in (await _summed(session, table, keys, question)).items()}


async def in_all(session: AsyncSession, question: Question) -> Total:
    """Everything that fits the question."""
    return together((await _summed(session, _smallest_table(question.filter), (), question)).values())


async def conversations(
    session: AsyncSession, question: Question, limit: int = TOP_CONVERSATIONS
) -> list[Conversation] | None:
    """The dearest that went on in the range. None when they cannot be told apart by what is asked."""
    wanted = question.filter
    if wanted.key or wanted.provider or wanted.origin not in ("", "chat"):
        return None
    connection, _, model = wanted.model.partition("/")
    of_model = (ChatSum.connection == connection, ChatSum.model == model)
    dearest = (
        select(ChatSum.chat_id)
        .where(*of_model)
        .where(ChatSum.first_day <= question.range.last.isoformat())
        .where(ChatSum.last_day >= question.range.first.isoformat())
        .order_by(ChatSum.cost_micros.desc())
        .limit(limit)
    )
    if wanted.user:
        dearest = dearest.where(ChatSum.user_id == wanted.user)
    if wanted.group:
        dearest = dearest.where(ChatSum.group_id == wanted.group)
    chat_ids = list(await session.scalars(dearest))
    rows = await session.scalars(select(ChatSum).where(*of_model, ChatSum.chat_id.in_(chat_ids)))
    found = [Conversation(row.chat_id, row.user_id, row.last_day, total_in(row)) for row in rows]
    return sorted(found, key=lambda one: chat_ids.index(one.chat_id))


async def known_models(session: AsyncSession, question: Question) -> list[What]:
    """Every model that was used in the months of the range, in alphabetical order: to choose from."""
    table = _table_of_models(question.filter)
    query = select(table.connection, table.model).distinct().where(table.period.in_(question.range.months))
    rows = await session.execute(query.where(*_fits(table, question.filter)))
    return sorted(What(connection, model) for connection, model in rows)


async def of_conversation(session: AsyncSession, chat_id: str) -> dict[What, Total]:
    """What one conversation used since its start, by model."""
    rows = await session.scalars(select(ChatSum).where(ChatSum.chat_id == chat_id, ChatSum.connection != ""))
    return {What(row.connection, row.model): total_in(row) for row in rows}


async def estimated_in(
    session: AsyncSession, user_id: str, chat_id: str, first_day: date, last_day: date
) -> set[What]:
    """The models of which something that a conversation used is an estimate; asked of the ledger itself."""
    of_chat = (
        LedgerEntry.user_id == user_id,
        # A day in the workspace's time zone is within two of UTC.
        LedgerEntry.at >= datetime.combine(first_day - DAY, time.min, UTC),
        LedgerEntry.at < datetime.combine(last_day + 2 * DAY, time.min, UTC),
        LedgerEntry.origin == f"chat:{chat_id}",
    )
    made_up_for = select(LedgerEntry.correction_of).where(*of_chat, LedgerEntry.correction_of.is_not(None))
    estimates = select(LedgerEntry.connection, LedgerEntry.model).distinct()
    rows = await session.execute(
        estimates.where(*of_chat, LedgerEntry.is_estimate, LedgerEntry.id.not_in(made_up_for))
    )
    return {What(connection, model) for connection, model in rows}


def together(totals: Iterable[Total]) -> Total:
    """The sum of all of them."""
    total = Total()
    for part in totals:
        total += part
    return total


def summed_by(totals: Mapping[Who, Total], part: str) -> dict[str, Total]:
    """Totals by one part of who asked: `user_id`, `group_id`, `api_key_id` or `origin`."""
    summed: defaultdict[str, Total] = defaultdict(Total)
    for who, total in totals.items():
        summed[getattr(who, part)] += total
    return dict(summed)


def total_in(row: UsageSum | ChatSum) -> Total:
    return Total(*(getattr(row, name) for name in SUMS))


def fitting(question: Question, periods: Sequence[str]) -> Select[UsageSum]:
    """The finest sums of these periods that fit the question."""
    return select(UsageSum).where(*_fits(UsageSum, question.filter), UsageSum.period.in_(periods))


def about_model(table: WhatTable | type[ModelTime], wanted: Filter) -> list[ColumnElement[bool]]:
    """What a filter says of models, as conditions."""
    conditions = []
    if wanted.provider:
        conditions.append(table.connection == wanted.provider)
    if wanted.model:
        connection, _, model = wanted.model.partition("/")
        conditions += [table.connection == connection, table.model == model]
    return conditions


def _table_of_models(wanted: Filter) -> WhatTable:
    return UsageSum if wanted.names_people else ModelSum


def _smallest_table(wanted: Filter) -> SumTable:
    """The smallest table that knows what the filter names."""
    if not wanted.names_people:
        return ModelSum
    return UsageSum if wanted.names_models else PersonSum


async def _summed(
    session: AsyncSession, table: SumTable, keys: Sequence[Column], question: Question
) -> dict[tuple[str, ...], Total]:
    """The sums of the whole range for each combination of `keys` that has any."""
    cover = question.range.cover
    found = await _sums(session, table, keys, question.filter, cover.added)
    if cover.taken_away:
        for key, total in (await _sums(session, table, keys, question.filter, cover.taken_away)).items():
            whole = found.setdefault(key, Total())
            whole -= total
    nothing = Total()
    return {key: total for key, total in found.items() if total != nothing}


async def _sums(
    session: AsyncSession, table: SumTable, keys: Sequence[Column], wanted: Filter, periods: Sequence[str]
) -> dict[tuple[str, ...], Total]:
    sums = [func.sum(getattr(table, name)) for name in SUMS]
    query = select(*keys, *sums).where(*_fits(table, wanted), table.period.in_(periods)).group_by(*keys)
    rows = await session.execute(query)
    return {tuple(row[: len(keys)]): _total(row[len(keys) :]) for row in rows}


def _total(sums: Sequence[Any]) -> Total:
    """Of sums as a database returns them: nothing for no rows, and decimals on PostgreSQL."""
    return Total() if sums[0] is None else Total(*map(int, sums))


def _measured(table: SumTable, measure: Measure) -> ColumnElement[int]:
    """What `Measure.of` reads from a total, as a column."""
    if measure is Measure.COST:
        return table.cost_micros.expression
    return table.input_tokens + table.output_tokens


def _fits(table: SumTable, wanted: Filter) -> list[ColumnElement[bool]]:
    """A filter as conditions on a table that knows what it names."""
    conditions = [table.origin == wanted.origin] if wanted.origin else []
    if not issubclass(table, PersonSum):
        conditions += about_model(table, wanted)
    if not issubclass(table, ModelSum):
        pairs = ((table.user_id, wanted.user), (table.group_id, wanted.group), (table.api_key_id, wanted.key))
        conditions += [column == value for column, value in pairs if value]
    return conditions
