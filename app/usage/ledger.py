"""Writing the ledger: what each call used, once, however it ended."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.ids import new_id
from app.usage.models import LedgerEntry, Outcome


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. Tokens are the provider's figures, or estimates and marked so."""

    at: datetime
    user_id: str
    connection: str
    model: str
    origin: str
    input_tokens: int
    output_tokens: int
    is_estimate: bool
    outcome: Outcome
    total_ms: int
    first_token_ms: int | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    error_code: str = ""


async def record(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Add `entries`. One statement for all: a busy second is one write."""
    if entries:
        await session.execute(insert(LedgerEntry), [{"id": new_id(), **asdict(entry)} for entry in entries])
