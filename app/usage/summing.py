"""Adds the whole ledger up again, in the database itself: the same sums as `rollups` keeps, many times as fast.

Days are added up from the ledger, and everything coarser from these. A source's columns are called like those of the
table that it fills.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from sqlalchemy import ColumnElement, Label, Select, Subquery, Table, case, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.core.database import Base
from app.usage.latency import least_of
from app.usage.models import ChatSum, LedgerEntry, ModelSum, ModelTime, Outcome, PersonSum, UsageSum
from app.usage.rollups import ALL_MODELS, FIRST_TOKEN, SUMS, TIMES, TOTAL, WHAT, WHO, WHO_AND_WHAT

HIGHEST_BUCKET = 123
"""Of `latency`, for the longest duration that the ledger's column holds: weeks."""
IN_ONE: Mapping[str, Callable[..., ColumnElement[Any]]] = {
    "user_id": func.min,
    "group_id": func.max,
    "first_day": func.min,
    "last_day": func.max,
}
"""What becomes of columns that are neither key nor sum; all rows of a conversation have the same first two."""


async def add_up(session: AsyncSession) -> None:
    """Fill the sums, which are empty."""
    await _fill(session, UsageSum, _by_day(session))
    await _fill(session, UsageSum, _months_of(UsageSum, WHO_AND_WHAT, SUMS))
    await _fill(session, PersonSum, select(*_of(UsageSum, WHO), *_of(UsageSum, SUMS)))
    await _fill(session, ModelSum, select(*_of(UsageSum, WHAT), *_of(UsageSum, SUMS)))
    await _fill(session, ChatSum, _by_conversation(), is_summed=True)
    await _fill(session, ChatSum, _of_all_models())
    await _fill(session, ModelTime, _times(FIRST_TOKEN, LedgerEntry.first_token_ms.expression))
    await _fill(session, ModelTime, _times(TOTAL, _total_ms()))
    await _fill(session, ModelTime, _months_of(ModelTime, TIMES, ["count"]))


async def _fill(
    session: AsyncSession, model: type[Base], source: Select[*tuple[Any, ...]], *, is_summed: bool = False
) -> None:
    """Add the rows of `source` to a table, those with the same key in one; `is_summed`: each has a key of its own."""
    table = cast("Table", model.__table__)
    given = source.subquery()
    if is_summed:
        await session.execute(insert(table).from_select(given.c.keys(), source))
        return
    keys = [column for name, column in given.c.items() if name in table.primary_key.columns]
    columns = [
        column if name in table.primary_key.columns else IN_ONE.get(name, func.sum)(column)
        for name, column in given.c.items()
    ]
    rows = select(*columns).group_by(*keys)
    await session.execute(insert(table).from_select(given.c.keys(), rows))


def _by_day(session: AsyncSession) -> Select[*tuple[Any, ...]]:
    return select(
        LedgerEntry.day.label("period"),
        LedgerEntry.user_id,
        func.coalesce(LedgerEntry.group_id, "").label("group_id"),
        func.coalesce(LedgerEntry.api_key_id, "").label("api_key_id"),
        LedgerEntry.connection,
        LedgerEntry.model,
        _kind(session).label("origin"),
        *_counted(),
    )


def _kind(session: AsyncSession) -> ColumnElement[str]:
    """`chat` of `chat:<chat id>`."""
    find = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    colon = find(LedgerEntry.origin, ":")
    return case((colon > 0, func.substr(LedgerEntry.origin, 1, colon - 1)), else_=LedgerEntry.origin)


def _counted() -> Iterator[Label[int]]:
    """What one entry counts, as `rollups.total_of` says, in the order of SUMS."""
    entry = LedgerEntry
    is_request = entry.correction_of.is_(None)
    is_unpriced = entry.cost_micros.is_(None) & (entry.input_tokens + entry.output_tokens > 0)
    special = {
        "requests": case((is_request, 1), else_=0),
        "cost_micros": func.coalesce(entry.cost_micros, 0),
        "unpriced": case((is_request & is_unpriced, 1), else_=0),
        "stopped": case((is_request & (entry.outcome == Outcome.STOPPED), 1), else_=0),
        "failed": case((is_request & (entry.outcome == Outcome.FAILED), 1), else_=0),
    }
    for name in SUMS:
        yield (special[name] if name in special else getattr(entry, name)).label(name)


def _months_of(
    model: type[UsageSum] | type[ModelTime], key: Iterable[str], sums: Iterable[str]
) -> Select[*tuple[Any, ...]]:
    """From the rows of days, which are all that there are yet."""
    _, *others = _of(model, key)
    return select(func.substr(model.period, 1, 7).label("period"), *others, *_of(model, sums))


def _of(model: type[Base], names: Iterable[str]) -> list[ColumnElement[Any]]:
    return [getattr(model, name) for name in names]


def _by_conversation() -> Select[*tuple[Any, ...]]:
    """With who held each conversation, and the group that paid last."""
    of_model = _by_origin_and_model()
    last_id = func.max(of_model.c.last_id).over(partition_by=of_model.c.origin)
    known = select(*of_model.c, last_id.label("newest_id")).subquery()
    newest = aliased(LedgerEntry)
    return select(
        func.substr(known.c.origin, len("chat:") + 1).label("chat_id"),
        known.c.connection,
        known.c.model,
        newest.user_id,
        func.coalesce(newest.group_id, "").label("group_id"),
        known.c.first_day,
        known.c.last_day,
        *(known.c[name] for name in SUMS),
    ).join(newest, newest.id == known.c.newest_id)


def _by_origin_and_model() -> Subquery:
    """Much less than the ledger has."""
    what = (LedgerEntry.origin, LedgerEntry.connection, LedgerEntry.model)
    return (
        select(
            *what,
            func.max(LedgerEntry.id).label("last_id"),
            func.min(LedgerEntry.day).label("first_day"),
            func.max(LedgerEntry.day).label("last_day"),
            *(func.sum(counted).label(counted.name) for counted in _counted()),
        )
        .where(LedgerEntry.origin.like("chat:_%"))
        .group_by(*what)
        .subquery()
    )


def _of_all_models() -> Select[*tuple[Any, ...]]:
    connection, model = (literal(name) for name in ALL_MODELS)
    others = _of(ChatSum, ("user_id", "group_id", "first_day", "last_day", *SUMS))
    return select(ChatSum.chat_id, connection.label("connection"), model.label("model"), *others)


def _times(measure: str, milliseconds: ColumnElement[int | None]) -> Select[*tuple[Any, ...]]:
    """What a person waited for: corrections took no time."""
    return select(
        LedgerEntry.day.label("period"),
        LedgerEntry.connection,
        LedgerEntry.model,
        literal(measure).label("measure"),
        _bucket(milliseconds, 0, HIGHEST_BUCKET).label("bucket"),
        literal(1).label("count"),
    ).where(LedgerEntry.correction_of.is_(None), milliseconds.is_not(None))


def _total_ms() -> ColumnElement[int | None]:
    """None for what did not finish: stopping early is not being quick."""
    return case((LedgerEntry.outcome == Outcome.FINISHED, LedgerEntry.total_ms), else_=None)


def _bucket(milliseconds: ColumnElement[int | None], first: int, last: int) -> ColumnElement[int]:
    """`latency.bucket_of` for databases without logarithms: a search by halves."""
    if first == last:
        return literal(first)
    middle = (first + last + 1) // 2
    shorter, longer = _bucket(milliseconds, first, middle - 1), _bucket(milliseconds, middle, last)
    return case((milliseconds < least_of(middle), shorter), else_=longer)
