"""Calls that are being made, as far as the database knows: a process that is killed forgets no cent.

A call under way is noted from time to time, with the line of the ledger that it would get if nothing more came.
Settling it takes the note away. A note that nobody renews any more becomes the line: an estimate, stopped.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from sqlalchemy import Table, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.core.database import after_commit
from app.core.upserts import insert_into
from app.usage import ledger, reservations
from app.usage.allotments import Allotment, Draw
from app.usage.ledger import Entry
from app.usage.models import Budget, LedgerEntry, OpenCall, Outcome
from app.usage.periods import Span
from app.usage.purses import Purse
from app.usage.reservations import Hold, Settled

OPEN_CALLS: Table = OpenCall.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class Note:
    """A call as it stands: what it used so far, what it holds, and who keeps an account of it (`OpenCall.claim`)."""

    entry: Entry
    hold: Hold
    claim: str = ""


async def note(session: AsyncSession, notes: Sequence[Note]) -> None:
    """Keep these, in place of what was noted of the same calls before."""
    statement = insert_into(session, OPEN_CALLS)
    newer = {name: statement.excluded[name] for name in ("heartbeat_at", "entry")}
    rows = [_row(one) for one in sorted(notes, key=lambda one: one.entry.id)]
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=newer), rows)


async def settled(session: AsyncSession, calls: Sequence[Settled]) -> list[Settled]:
    """These calls were noted, and are over: what is to be settled of them.

    That is a correction where another process took the call for abandoned, and entered what was noted; perhaps
    the call was noted again after that. One that changes nothing is said of what was committed just before the
    connection was lost.
    """
    if not calls:
        return []
    ids = [call.entry.id for call in calls]
    await session.execute(delete(OpenCall).where(OpenCall.id.in_(ids)))
    lines = await _lines_of(session, ids)
    return [
        _corrected(session, call, lines[call.entry.id]) if call.entry.id in lines else call for call in calls
    ]


async def enter_abandoned(
    session: AsyncSession, *, before: datetime | None = None, claims: Collection[str] | None = None
) -> dict[str, Entry]:
    """Enter what nobody makes any more in the ledger; what was entered, by claim.

    These are the calls whose heartbeat is older than `before`, or those that `claims` names; without either, all.
    """
    abandoned = delete(OpenCall)
    if before is not None:
        abandoned = abandoned.where(OpenCall.heartbeat_at < before)
    if claims is not None:
        abandoned = abandoned.where(OpenCall.claim.in_(claims))
    rows = list(await session.scalars(abandoned.returning(OpenCall)))
    # A note may have been written while its call was being settled.
    known = await ledger.entered(session, [row.id for row in rows])
    found = [row for row in rows if row.id not in known]
    if not found:
        return {}
    entries = {row.id: _entry(row) for row in found}
    await reservations.settle(session, [Settled(entries[row.id], _hold(row)) for row in found])
    return {row.claim: entries[row.id] for row in found if row.claim}


async def _lines_of(session: AsyncSession, ids: Collection[str]) -> Mapping[str, list[LedgerEntry]]:
    """All that the ledger says of these calls, corrections included."""
    is_of_them = LedgerEntry.id.in_(ids) | LedgerEntry.correction_of.in_(ids)
    lines: dict[str, list[LedgerEntry]] = {}
    for line in await session.scalars(select(LedgerEntry).where(is_of_them)):
        lines.setdefault(line.correction_of or line.id, []).append(line)
    return lines


def _corrected(session: AsyncSession, call: Settled, lines: Sequence[LedgerEntry]) -> Settled:
    """The call, holding nothing any more: all that it held went when it was taken for abandoned."""
    after_commit(session, call.hold.forget)
    return Settled(ledger.correction(lines, call.entry), Hold(call.hold.call_id))


def _row(one: Note) -> dict[str, object]:
    draws = [[draw.allotment.id, *_words(draw.allotment.purse), draw.amount] for draw in one.hold.draws]
    return {
        "id": one.entry.id,
        "claim": one.claim,
        "heartbeat_at": now(),
        "entry": orjson.dumps(one.entry).decode(),
        "draws": orjson.dumps(draws).decode(),
    }


def _words(purse: Purse) -> tuple[str, str, datetime]:
    return purse.budget.id, purse.subject, purse.span.start


def _entry(row: OpenCall) -> Entry:
    """As it was noted: until its last heartbeat."""
    parts = orjson.loads(row.entry)
    at = datetime.fromisoformat(parts["at"])
    lasted = max(0, round((row.heartbeat_at - at).total_seconds() * 1000))
    entry = Entry(**(parts | {"at": at, "outcome": Outcome.STOPPED}))
    return replace(entry, is_estimate=True, total_ms=lasted)


def _hold(row: OpenCall) -> Hold:
    """What the call held of allotments of a process that is gone."""
    draws = (
        Draw(Allotment(_purse(budget_id, subject, start), id=allotment_id, is_open=False), amount)
        for allotment_id, budget_id, subject, start, amount in orjson.loads(row.draws)
    )
    return Hold(row.id, draws=tuple(draws), is_kept=True)


def _purse(budget_id: str, subject: str, start: str) -> Purse:
    return Purse(Budget(id=budget_id), subject, Span(datetime.fromisoformat(start), None))
