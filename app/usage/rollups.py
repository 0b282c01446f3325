"""Keeps sums beside the ledger, in the transaction that writes it, so that pages never add up the whole of it.

Each entry counts to a day and to its month, in five tables (see `models`). A batch is added up here first;
then rows are raised in the order of their keys, so that two writers never wait for each other in a circle.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Protocol, TypeVar, cast

from sqlalchemy import Table, delete, func
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Base
from app.core.upserts import insert_for
from app.usage.latency import bucket_of
from app.usage.models import ChatSum, ModelSum, ModelTime, Outcome, PersonSum, UsageSum

Key = tuple[str | int, ...]
AnyKey = TypeVar("AnyKey", bound=Key)
WHO_AND_WHAT = ("period", "user_id", "group_id", "api_key_id", "connection", "model", "origin")
WHO = ("period", "user_id", "group_id", "api_key_id", "origin")
WHAT = ("period", "connection", "model", "origin")
TIMES = ("period", "connection", "model", "measure", "bucket")
CHATS = ("chat_id", "connection", "model")
FIRST_TOKEN, TOTAL = "first_token", "total"
ALL_MODELS = ("", "")


class Countable(Protocol):
    """What the sums need to know of an entry of the ledger, written or about to be."""

    @property
    def day(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def group_id(self) -> str | None: ...
    @property
    def api_key_id(self) -> str | None: ...
    @property
    def connection(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def cache_read_tokens(self) -> int: ...
    @property
    def cache_write_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def reasoning_tokens(self) -> int: ...
    @property
    def cost_micros(self) -> int | None: ...
    @property
    def outcome(self) -> str: ...
    @property
    def first_token_ms(self) -> int | None: ...
    @property
    def total_ms(self) -> int: ...
    @property
    def correction_of(self) -> str | None: ...


@dataclass(slots=True)
class Total:
    """What a number of calls add up to; the fields are those of `models.Sums`."""

    requests: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_micros: int = 0
    unpriced: int = 0
    stopped: int = 0
    failed: int = 0

    def __iadd__(self, other: "Total") -> "Total":
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.cache_read_tokens += other.cache_read_tokens
        self.cache_write_tokens += other.cache_write_tokens
        self.output_tokens += other.output_tokens
        self.reasoning_tokens += other.reasoning_tokens
        self.cost_micros += other.cost_micros
        self.unpriced += other.unpriced
        self.stopped += other.stopped
        self.failed += other.failed
        return self

    def __isub__(self, other: "Total") -> "Total":
        self.requests -= other.requests
        self.input_tokens -= other.input_tokens
        self.cache_read_tokens -= other.cache_read_tokens
        self.cache_write_tokens -= other.cache_write_tokens
        self.output_tokens -= other.output_tokens
        self.reasoning_tokens -= other.reasoning_tokens
        self.cost_micros -= other.cost_micros
        self.unpriced -= other.unpriced
        self.stopped -= other.stopped
        self.failed -= other.failed
        return self

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def is_priced(self) -> bool:
        """Whether there is a cost to show: not when nothing of it had a price."""
        return self.unpriced < self.requests or self.requests == 0


SUMS = tuple(part.name for part in fields(Total))


_Kind = tuple[str, str, str, str, str, str, str]
"""By what entries differ, but for their figures: day, user, group, key, connection, model and origin."""


@dataclass
class _Conversation:
    """Who held it and when, for the rows of one conversation."""

    user_id: str
    group_id: str
    first_day: str
    last_day: str


@dataclass
class Batch:
    """The sums of some entries, by key."""

    who_and_what: dict[Key, Total] = field(default_factory=dict)
    who: dict[Key, Total] = field(default_factory=dict)
    what: dict[Key, Total] = field(default_factory=dict)
    times: dict[Key, int] = field(default_factory=dict)
    chats: dict[Key, Total] = field(default_factory=dict)
    conversations: dict[str, _Conversation] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Countable]) -> "Batch":
        batch = cls()
        # In a busy second many are alike but for their figures: these are added up before they are spread.
        alike: dict[_Kind, Total] = {}
        for entry in entries:
            _raise(alike, _kind_of(entry), total_of(entry))
            batch._count_times(entry)
        for kind, counted in alike.items():
            batch._spread(kind, counted)
        return batch

    def count(self, entry: Countable) -> None:
        self._spread(_kind_of(entry), total_of(entry))
        self._count_times(entry)

    def _spread(self, counted_as: "_Kind", counted: Total) -> None:
        day, user_id, group_id, api_key_id, connection, model, origin = counted_as
        kind, _, chat_id = origin.partition(":")
        who, what = (user_id, group_id, api_key_id), (connection, model)
        for period in (day, month_of(day)):
            _raise(self.who_and_what, (period, *who, *what, kind), counted)
            _raise(self.who, (period, *who, kind), counted)
            _raise(self.what, (period, *what, kind), counted)
        if kind == "chat" and chat_id:
            for models in (ALL_MODELS, what):
                _raise(self.chats, (chat_id, *models), counted)
            known = self.conversations.get(chat_id)
            self.conversations[chat_id] = _Conversation(
                user_id,
                group_id,
                min(day, known.first_day) if known else day,
                max(day, known.last_day) if known else day,
            )

    def _count_times(self, entry: Countable) -> None:
        for measure, milliseconds in _times_of(entry):
            bucket = bucket_of(milliseconds)
            for period in (entry.day, month_of(entry.day)):
                key = (period, entry.connection, entry.model, measure, bucket)
                self.times[key] = self.times.get(key, 0) + 1


async def add(session: AsyncSession, entries: Iterable[Countable]) -> None:
    """Raise the sums by `entries`, which are being written to the ledger in the same transaction."""
    batch = Batch.of(entries)
    await _upsert(session, UsageSum, WHO_AND_WHAT, _rows(WHO_AND_WHAT, batch.who_and_what))
    await _upsert(session, PersonSum, WHO, _rows(WHO, batch.who))
    await _upsert(session, ModelSum, WHAT, _rows(WHAT, batch.what))
    await _upsert(session, ModelTime, TIMES, _time_rows(batch))
    await _upsert(session, ChatSum, CHATS, list(_chat_rows(batch)))


async def clear(session: AsyncSession) -> None:
    """Take all sums away, to add them up again from the ledger in the same transaction."""
    for table in (UsageSum, PersonSum, ModelSum, ModelTime, ChatSum):
        await session.execute(delete(table))


def total_of(entry: Countable) -> Total:
    """What one entry counts. A correction changes tokens and money; it is no further request."""
    is_request = entry.correction_of is None
    used = entry.input_tokens + entry.output_tokens
    return Total(
        requests=int(is_request),
        input_tokens=entry.input_tokens,
        cache_read_tokens=entry.cache_read_tokens,
        cache_write_tokens=entry.cache_write_tokens,
        output_tokens=entry.output_tokens,
        reasoning_tokens=entry.reasoning_tokens,
        cost_micros=entry.cost_micros or 0,
        unpriced=int(is_request and entry.cost_micros is None and used > 0),
        stopped=int(is_request and entry.outcome == Outcome.STOPPED),
        failed=int(is_request and entry.outcome == Outcome.FAILED),
    )


def _kind_of(entry: Countable) -> _Kind:
    return (
        entry.day,
        entry.user_id,
        entry.group_id or "",
        entry.api_key_id or "",
        entry.connection,
        entry.model,
        entry.origin,
    )


def month_of(day: str) -> str:
    """`2026-11-20` → `2026-11`."""
    return day[:7]


def _times_of(entry: Countable) -> Iterator[tuple[str, int]]:
    """Only what a person waited for: corrections took no time, and stopping early is not being quick."""
    if entry.correction_of is not None:
        return
    if entry.first_token_ms is not None:
        yield FIRST_TOKEN, entry.first_token_ms
    if entry.outcome == Outcome.FINISHED:
        yield TOTAL, entry.total_ms


def _raise(totals: dict[AnyKey, Total], key: AnyKey, counted: Total) -> None:
    known = totals.get(key)
    if known is None:
        known = totals[key] = Total()
    known += counted


def _rows(names: tuple[str, ...], totals: Mapping[Key, Total]) -> list[dict[str, object]]:
    return [dict(zip(names, key, strict=True)) | _columns(totals[key]) for key in sorted(totals)]


def _time_rows(batch: Batch) -> list[dict[str, object]]:
    return [{**dict(zip(TIMES, key, strict=True)), "count": batch.times[key]} for key in sorted(batch.times)]


def _chat_rows(batch: Batch) -> Iterator[dict[str, object]]:
    for row in _rows(CHATS, batch.chats):
        held = batch.conversations[str(row["chat_id"])]
        yield row | {
            "user_id": held.user_id,
            "group_id": held.group_id,
            "first_day": held.first_day,
            "last_day": held.last_day,
        }


def _columns(total: Total) -> dict[str, object]:
    return {name: getattr(total, name) for name in SUMS}


async def _upsert(
    session: AsyncSession, model: type[Base], key: tuple[str, ...], rows: list[dict[str, object]]
) -> None:
    """Add each row, or add its sums to the row that is there."""
    if rows:
        await session.execute(_raising(model, key, session.get_bind().dialect.name), rows)


@cache
def _raising(model: type[Base], key: tuple[str, ...], dialect: str) -> Insert:
    """Every settling asks for it: built once, and so compiled once."""
    table = cast("Table", model.__table__)
    statement = insert_for(dialect, table)
    given = statement.excluded
    changes = {name: table.c[name] + given[name] for name in (*SUMS, "count") if name in table.c}
    if model is ChatSum:
        least, greatest = (func.min, func.max) if dialect == "sqlite" else (func.least, func.greatest)
        changes["group_id"] = given["group_id"]
        changes["first_day"] = least(table.c.first_day, given["first_day"])
        changes["last_day"] = greatest(table.c.last_day, given["last_day"])
    return statement.on_conflict_do_update(index_elements=list(key), set_=changes)
