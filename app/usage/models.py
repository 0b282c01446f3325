"""The ledger: one row for each call of a model, whoever asked. Rows are added and never changed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.database import Base
from app.core.ids import new_id


class Outcome(StrEnum):
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class LedgerEntry(Base):
    """Names are copied, not referenced: what was used stays true when the account or model is gone."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index("ix_ledger_entries_user_id_at", "user_id", "at"),
        Index("ix_ledger_entries_at", "at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=now)
    user_id: Mapped[str]
    connection: Mapped[str]
    model: Mapped[str]
    origin: Mapped[str]
    """What asked: `chat:<chat id>`, `api`, `title`."""
    input_tokens: Mapped[int]
    cache_read_tokens: Mapped[int] = mapped_column(default=0)
    cache_write_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int]
    reasoning_tokens: Mapped[int] = mapped_column(default=0)
    is_estimate: Mapped[bool]
    outcome: Mapped[str]
    error_code: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=1)
    first_token_ms: Mapped[int | None]
    total_ms: Mapped[int]
