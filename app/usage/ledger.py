"""Writing the ledger: what each call used, once, however it ended."""

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.ids import new_id
from app.usage import days, rollups
from app.usage.models import LedgerEntry, Outcome
from app.values import value

LEDGER: Table = LedgerEntry.__table__  # type: ignore[assignment]
ADD = insert(LEDGER)
SUMMED = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


@value
class Entry:
    """One line of the ledger. Tokens are the provider's figures, or estimates and marked so; see `LedgerEntry`."""

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
    group_id: str | None = None
    api_key_id: str | None = None
    cost_micros: int | None = None
    price_source: str = ""
    price: str = ""
    correction_of: str | None = None
    attempts: int = 1
    """How often the provider was asked."""
    day: str = ""
    """Set when it is written: `record` knows the workspace's time zone."""
    id: str = field(default_factory=new_id)
    """The call's own: nothing is entered twice."""

    @property
    def full_model(self) -> str:
        """`connection/model`."""
        return f"{self.connection}/{self.model}"

    @property
    def changes_nothing(self) -> bool:
        """Whether it corrects what is right already."""
        is_right = not self.cost_micros and not any(getattr(self, name) for name in SUMMED)
        return self.correction_of is not None and is_right

    def on(self, day: str) -> Self:
        """The same entry, of that day of the workspace."""
        # Not `replace`, which looks at each field: every call has an entry.
        dated = object.__new__(type(self))
        vars(dated).update(vars(self), day=day)
        return dated


async def record(session: AsyncSession, entries: Sequence[Entry], zone: ZoneInfo | None = None) -> None:
    """Add `entries`, and their sums. One statement for all: a busy second is one write.

    `zone` is the workspace's, if the caller knows it. Raises IntegrityError when one of them is there already.
    """
    if entries:
        zone = zone or await days.workspace_zone(session)
        dated = [entry.on(days.day_of(entry.at, zone)) for entry in entries]
        await session.execute(ADD, [vars(entry) for entry in dated])
        await rollups.add(session, dated)


async def entered(session: AsyncSession, ids: Sequence[str]) -> set[str]:
    """Which of these calls the ledger has."""
    return set(await session.scalars(select(LedgerEntry.id).where(LedgerEntry.id.in_(ids))))


def correction(lines: Sequence[LedgerEntry], right: Entry) -> Entry:
    """The row that makes up for what `lines` say of a call: the differences to `right`. An unknown cost is nothing."""
    differences = {name: getattr(right, name) - sum(getattr(line, name) for line in lines) for name in SUMMED}
    known = sum(line.cost_micros or 0 for line in lines)
    cost = None if right.cost_micros is None else right.cost_micros - known
    return replace(
        right,
        **differences,
        cost_micros=cost,
        total_ms=0,
        first_token_ms=None,
        correction_of=right.id,
        id=new_id(),
    )
