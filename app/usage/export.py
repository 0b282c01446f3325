"""What is on screen as lines of CSV or JSON: a line for each day, person, key, model and origin.

Read a piece at a time, each in a short session of its own: a download over a slow line holds up nobody.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import tuple_

from app.accounts.models import User
from app.core.database import Database
from app.usage.models import UsageSum
from app.usage.names import Names, names
from app.usage.pricing import in_dollars
from app.usage.questions import Question
from app.usage.reports import fitting, total_in
from app.usage.rollups import SUMS, WHO_AND_WHAT

LINES_AT_ONCE = 2_000
INSIDE = re.compile(r"(?<=[;|\t\r\n\"])(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a formula would begin, should a spreadsheet take one of these for the end of a cell: many do not go by commas."""
KEY = tuple(getattr(UsageSum, name) for name in WHO_AND_WHAT)
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""What a formula begins with for one spreadsheet or another, also in full width, and what some skip before it (OWASP)."""
NAMES = ("period", "person", "group", "key", "connection", "model", "origin")
COLUMNS = (*NAMES, *SUMS, "cost_usd")
"""Of both shapes. `cost_usd` is exact; without any price it is empty."""

Value = str | int | None


class Line(NamedTuple):
    """One line, in the order of COLUMNS."""

    values: tuple[Value, ...]


async def as_csv(database: Database, viewer: User, question: Question) -> AsyncIterator[bytes]:
    """A heading, then a line for each sum."""
    yield _csv([COLUMNS])
    async for lines in _lines(database, viewer, question):
        yield _csv([_harmless(line.values) for line in lines])


async def as_json(database: Database, viewer: User, question: Question) -> AsyncIterator[bytes]:
    """One list of objects."""
    opening = b"["
    async for lines in _lines(database, viewer, question):
        objects = [orjson.dumps(dict(zip(COLUMNS, line.values, strict=True))) for line in lines]
        yield opening + b",\n".join(objects)
        opening = b",\n"
    yield b"[]\n" if opening == b"[" else b"]\n"


async def _lines(database: Database, viewer: User, question: Question) -> AsyncIterator[list[Line]]:
    after: tuple[str, ...] | None = None
    sums = fitting(question, question.range.periods_of_bars)
    async with database.reading() as session:
        known = await names(session, viewer, keys=await _keys(database, question))
    while True:
        query = sums if after is None else sums.where(tuple_(*KEY) > after)
        async with database.reading() as session:
            rows = list(await session.scalars(query.order_by(*KEY).limit(LINES_AT_ONCE)))
        if not rows:
            return
        yield [_line(row, known) for row in rows]
        after = tuple(getattr(rows[-1], name) for name in WHO_AND_WHAT)


async def _keys(database: Database, question: Question) -> set[str]:
    keys = fitting(question, question.range.months).with_only_columns(UsageSum.api_key_id).distinct()
    async with database.reading() as session:
        return set(await session.scalars(keys))


def _line(row: UsageSum, known: Names) -> Line:
    total = total_in(row)
    return Line(
        (
            row.period,
            known.person(row.user_id),
            known.group(row.group_id) if row.group_id else "",
            known.key(row.api_key_id) if row.api_key_id else "",
            row.connection,
            row.model,
            row.origin,
            *(getattr(total, name) for name in SUMS),
            in_dollars(total.cost_micros) if total.is_priced else None,
        )
    )


def _csv(lines: Iterable[Sequence[Value]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(lines)
    return written.getvalue().encode()


def _harmless(values: Sequence[Value]) -> list[Value]:
    """A name must not become a formula in somebody's spreadsheet; a figure may be below zero."""
    named, figures = values[: len(NAMES)], values[len(NAMES) :]
    return [_harmless_name(str(name)) for name in named] + list(figures)


def _harmless_name(name: str) -> str:
    text = INSIDE.sub("'", name)
    return f"'{text}" if name.startswith(FORMULA) else text
