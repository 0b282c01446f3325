"""Keeps sums beside the ledger, in the transaction that writes it, so that pages never add up the whole of it.

Each entry counts to a day and to its month, in five tables (see `models`). A batch is added up here first;
then rows are raised in the order of their keys, so that two writers never wait for each other in a circle.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Protocol

from sqlalchemy import Table, delete, func
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Base
from app.core.upserts import insert_into
from app.usage.latency import bucket_of
from app.usage.models import ChatSum, ModelSum, ModelTime, Outcome, PersonSum, UsageSum

Key = tuple[str | int, ...]
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
        for entry in entries:
            batch.count(entry)
        return batch

    def count(self, entry: Countable) -> None:
        counted = total_of(entry)
        kind, _, chat_id = entry.origin.partition(":")
        who = (entry.user_id, entry.group_id or "", entry.api_key_id or "")
        what = (entry.connection, entry.model)
        for period in (entry.day, month_of(entry.day)):
            _raise(self.who_and_what, (period, *who, *what, kind), counted)
            _raise(self.who, (period, *who, kind), counted)
            _raise(self.what, (period, *what, kind), counted)
            for measure, milliseconds in _times_of(entry):
                key = (period, *what, measure, bucket_of(milliseconds))
                self.times[key] = self.times.get(key, 0) + 1
        if kind == "chat" and chat_id:
            self._count_conversation(entry, chat_id, counted)

    def _count_conversation(self, entry: Countable, chat_id: str, counted: Total) -> None:
        for what in (ALL_MODELS, (entry.connection, entry.model)):
            _raise(self.chats, (chat_id, *what), counted)
        known = self.conversations.get(chat_id)
        self.conversations[chat_id] = _Conversation(
            entry.user_id,
            entry.group_id or "",
            min(entry.day, known.first_day) if known else entry.day,
            max(entry.day, known.last_day) if known else entry.day,
        )


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


def _raise(totals: dict[Key, Total], key: Key, counted: Total) -> None:
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
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101  (what declared classes have)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement = insert_into(session, table)
    given = statement.excluded
    changes = {name: table.c[name] + given[name] for name in (*SUMS, "count") if name in table.c}
    if model is ChatSum:
        least, greatest = (func.min, func.max) if is_sqlite else (func.least, func.greatest)
        changes["group_id"] = given["group_id"]
        changes["first_day"] = least(table.c.first_day, given["first_day"])
        changes["last_day"] = greatest(table.c.last_day, given["last_day"])
    await session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes), rows)
