"""The ledger, one row for each call of a model, whoever asked; its sums; budgets; and prices of one's own.

What was entered in the ledger, and a price that has begun to hold, are never changed: another row follows.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.changes import WATCHED
from app.core.clock import now
from app.core.database import Base
from app.core.ids import new_id


class Outcome(StrEnum):
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


BEYOND_LIMIT = "beyond_limit"
"""`LedgerEntry.error_code` of a call for which its provider reports more than a hard limit had held."""


class LedgerEntry(Base):
    """Names are copied, not referenced: what was used stays true when the account or model is gone."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index("ix_ledger_entries_user_id_at", "user_id", "at"),
        Index("ix_ledger_entries_at", "at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=now)
    day: Mapped[str] = mapped_column(default="")
    """The day it counts to, such as `2026-11-20`, in the workspace's time zone as that was when it happened."""
    user_id: Mapped[str]
    group_id: Mapped[str | None]
    """The group that pays: the person's main one when the call was made."""
    api_key_id: Mapped[str | None]
    connection: Mapped[str]
    model: Mapped[str]
    origin: Mapped[str]
    """What asked: `chat:<chat id>` or `api`."""
    correction_of: Mapped[str | None]
    """The row that was wrong: this one holds the differences, so that sums over both are right."""
    input_tokens: Mapped[int]
    """Includes what was read from and written to a cache."""
    cache_read_tokens: Mapped[int] = mapped_column(default=0)
    cache_write_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int]
    """Includes reasoning."""
    reasoning_tokens: Mapped[int] = mapped_column(default=0)
    is_estimate: Mapped[bool]
    cost_micros: Mapped[int | None] = mapped_column(BigInteger)
    """Micro-US-dollars. None: the model had no price. 0: it was free."""
    price_source: Mapped[str] = mapped_column(default="")
    """`list`, `override`, `free`, or empty without a price."""
    price: Mapped[str] = mapped_column(default="")
    """The rates that were applied, as `pricing.Rates.text`: `in 3, cached 0.3, out 15`."""
    outcome: Mapped[str]
    error_code: Mapped[str] = mapped_column(default="")
    """Why it failed; or `BEYOND_LIMIT`, or what the gateway calls an answer that it cut off."""
    attempts: Mapped[int] = mapped_column(default=1)
    first_token_ms: Mapped[int | None]
    total_ms: Mapped[int]


class PriceOverride(Base):
    """An administrator's price for a model, in micro-US-dollars per million tokens, from a moment on.

    The newest row that has become effective counts; one without rates ends it: the list's price holds again.
    """

    __tablename__ = "price_overrides"
    __table_args__ = (
        Index("ix_price_overrides_connection_model_effective_from", "connection", "model", "effective_from"),
        {"info": WATCHED},
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    connection: Mapped[str]
    model: Mapped[str]
    input: Mapped[int | None] = mapped_column(BigInteger)
    cached_input: Mapped[int | None] = mapped_column(BigInteger)
    """None, here and below: charged like other input."""
    cache_write: Mapped[int | None] = mapped_column(BigInteger)
    output: Mapped[int | None] = mapped_column(BigInteger)
    effective_from: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(default="")
    """A name, kept as it was: `command line` for the operator."""

    @property
    def ends_it(self) -> bool:
        return self.input is None or self.output is None


class ExchangeRate(Base):
    """What one US dollar was in a currency, in millionths of it, from a day on until the next rate's."""

    __tablename__ = "exchange_rates"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    currency: Mapped[str]
    rate_micros: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(default="")


class Sums:
    """What roll-ups add up. They are kept in the transaction that writes the ledger, and hold nothing that
    could not be added up again from it. Money is in micro-dollars."""

    requests: Mapped[int] = mapped_column(BigInteger, default=0)
    input_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    output_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    unpriced: Mapped[int] = mapped_column(BigInteger, default=0)
    """Requests that used tokens without a price: their cost is unknown, not zero."""
    stopped: Mapped[int] = mapped_column(BigInteger, default=0)
    failed: Mapped[int] = mapped_column(BigInteger, default=0)


class UsageSum(Sums, Base):
    """Who used what: a row for each day and, beside it, for each month (`period` is `2026-11-20` or `2026-11`).

    Without a group or key the column is empty. Rows lie in the order of their key, days together.
    """

    __tablename__ = "usage_sums"
    __table_args__ = (
        Index("ix_usage_sums_group_id_period", "group_id", "period"),
        {"sqlite_with_rowid": False},
    )

    period: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)
    api_key_id: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(primary_key=True)
    """The kind of origin: `chat` for `chat:<chat id>`."""


class PersonSum(Sums, Base):
    """The same without the models: half as many rows, for tables of people, groups, keys and origins."""

    __tablename__ = "usage_person_sums"
    __table_args__ = ({"sqlite_with_rowid": False},)

    period: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)
    api_key_id: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(primary_key=True)


class ModelSum(Sums, Base):
    """The same without the people: small, for what concerns the whole workspace."""

    __tablename__ = "usage_model_sums"
    __table_args__ = ({"sqlite_with_rowid": False},)

    period: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(primary_key=True)


class ModelTime(Base):
    """How long a model took: `count` answers fell into the `bucket` (see `latency`) of a day or month."""

    __tablename__ = "usage_model_times"
    __table_args__ = ({"sqlite_with_rowid": False},)

    period: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    """`first_token` or `total`."""
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger, default=0)


class ChatSum(Sums, Base):
    """A conversation since its start: one row for each of its models, and one with neither connection nor
    model for all of them."""

    __tablename__ = "usage_chat_sums"
    __table_args__ = (
        # With the columns that the dearest are looked for by, so that those of a quiet month are found here alone.
        Index(
            "ix_usage_chat_sums_connection_model_cost",
            "connection",
            "model",
            "cost_micros",
            "first_day",
            "last_day",
            "group_id",
        ),
        Index("ix_usage_chat_sums_user_id_cost", "user_id", "connection", "model", "cost_micros"),
        {"sqlite_with_rowid": False},
    )

    chat_id: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    group_id: Mapped[str]
    """The group that paid last."""
    first_day: Mapped[str]
    last_day: Mapped[str]


class BudgetScope(StrEnum):
    """Whose use a budget counts."""

    WORKSPACE = "workspace"
    GROUP = "group"
    USER = "user"
    KEY = "key"
    MODEL = "model"


class Unit(StrEnum):
    """What a budget counts: micro-US-dollars, tokens in and out, calls, or calls that run at the same time."""

    USD = "usd"
    TOKENS = "tokens"
    REQUESTS = "requests"
    REPLIES = "replies"


class Period(StrEnum):
    """After what a budget starts again; MINUTE is that of rate limits."""

    MINUTE = "minute"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


EACH = "*"


class Budget(Base):
    """A limit on use. Calls that would go beyond a hard one are refused; a soft one only warns."""

    __tablename__ = "budgets"
    __table_args__ = (UniqueConstraint("scope", "subject", "unit", "period", "is_own"), {"info": WATCHED})

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    scope: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    """The id of the group, user or key, or `connection/model`; empty for the workspace; `*`: each one by itself."""
    unit: Mapped[str]
    period: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    """The limit, in the unit."""
    warn_percent: Mapped[int] = mapped_column(default=80)
    is_hard: Mapped[bool] = mapped_column(default=True)
    is_own: Mapped[bool] = mapped_column(default=False)
    """A cap that the user chose, and may change."""
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def is_rate_limit(self) -> bool:
        return self.period == Period.MINUTE or self.unit == Unit.REPLIES

    @property
    def is_for_each(self) -> bool:
        return self.subject == EACH


class BudgetCounter(Base):
    """What a budget's subject used in one period, as the ledger has it, and what running calls hold on top.

    No foreign key: opening one must not wait for whoever changes the budget.
    """

    __tablename__ = "budget_counters"

    budget_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    spent: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)


class Reservation(Base):
    """What one running call, or one process for calls to come, holds of one budget; it may expire."""

    __tablename__ = "budget_reservations"

    call_id: Mapped[str] = mapped_column(primary_key=True)
    """The call's, or the allotment's (see `allotments`)."""
    budget_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]
    period_start: Mapped[datetime]
    amount: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    is_allotment: Mapped[bool] = mapped_column(default=False)
    """Whether a process has it for calls to come, and may give back what it does not use."""
    wanted_at: Mapped[datetime | None]
    """When another process asked for that."""


class OpenCall(Base):
    """A call that is being made, as it would be entered in the ledger if nothing more came.

    Written from time to time, and gone when the call is settled. Should its process be killed, this is what is
    counted.
    """

    __tablename__ = "open_calls"

    id: Mapped[str] = mapped_column(primary_key=True)
    claim: Mapped[str] = mapped_column(default="", index=True)
    """What keeps its own account of the call, such as a reply's id; empty: nothing does."""
    heartbeat_at: Mapped[datetime] = mapped_column(index=True)
    entry: Mapped[str] = mapped_column(Text)
    """A line of the ledger (`ledger.Entry`) as JSON: nothing ever asks for a part of it."""
    draws: Mapped[str] = mapped_column(Text)
    """What it holds of allotments, as JSON."""
