"""Reserve, then settle: what the database keeps of running calls, so that nobody spends what somebody else holds.

Before a call the most that it can use is held of each purse, by the call itself or as a part of an allotment;
afterwards what it really used takes its place, in the transaction that writes the ledger. On SQLite there is one
writer at a time; on PostgreSQL whoever changes holds has locked the counters first, in the order of their keys.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.core.database import after_commit
from app.core.upserts import insert_into
from app.usage import budgets, counters, days, ledger
from app.usage.allotments import LEASE, Allotment, Draw
from app.usage.counters import Change
from app.usage.ledger import Entry
from app.usage.models import Reservation
from app.usage.purses import Book, PurseKey, spent_from
from app.values import value

RESERVATIONS: Table = Reservation.__table__  # type: ignore[assignment]
KEY = (RESERVATIONS.c.budget_id, RESERVATIONS.c.subject, RESERVATIONS.c.period_start)
TAKE_OUT = (
    update(RESERVATIONS)
    .where(RESERVATIONS.c.call_id == bindparam("of_holder"))
    .values(amount=RESERVATIONS.c.amount - bindparam("taken"))
)


@value
class Hold:
    """What a call holds until it is settled. `output_tokens` is the most that it may write; None: as asked.

    `is_kept` says that the database keeps something under `call_id`; `draws` are parts of allotments.
    """

    call_id: str
    output_tokens: int | None = None
    draws: tuple[Draw, ...] = ()
    is_kept: bool = False

    def let_go(self) -> None:
        """The call is not made after all. What is kept under its id is free when its lease ends."""
        for draw in self.draws:
            draw.let_go()

    def forget(self) -> None:
        """All that the call held is gone from the database, or will be with its lease: nothing of it is free here."""
        for draw in self.draws:
            draw.let_go(draw.amount)


@value
class Settled:
    """A call that is over: its line of the ledger, and what it held."""

    entry: Entry
    hold: Hold


async def keep(
    session: AsyncSession, call_id: str, amounts: Mapping[PurseKey, int], parts: Mapping[Allotment, int]
) -> None:
    """Hold these amounts for a call, and these parts for this process, of purses that were locked before."""
    taken = dict(amounts)
    for allotment, part in parts.items():
        taken[allotment.key] = taken.get(allotment.key, 0) + part
    await counters.change(session, {key: Change(reserved=amount) for key, amount in taken.items()})
    if amounts:
        rows = [_row(call_id, key, amount, is_allotment=False) for key, amount in amounts.items()]
        await session.execute(insert(RESERVATIONS), rows)
    if parts:
        await _fill(session, [_row(one.id, one.key, part, is_allotment=True) for one, part in parts.items()])


async def settle(session: AsyncSession, settled: Sequence[Settled], known: Book | None = None) -> Book:
    """Enter calls in the ledger, count them to their budgets, and give back what they held.

    To be called first in its transaction. `known` are the budgets as the caller read them last; gives them as
    they are now.
    """
    await counters.hold_ledger(session)
    book = await budgets.renewed(session, known or Book())
    takings = [_takings(book, one.entry) for one in settled]
    used = [
        (draw, taking.get(draw.allotment.key, 0))
        for one, taking in zip(settled, takings, strict=True)
        for draw in one.hold.draws
    ]
    gone = [(draw, draw.taken_by(amount)) for draw, amount in used]
    spent = {key: Change(spent=amount) for key, amount in _sums(takings).items()}
    await counters.lock(session, {*spent, *(draw.allotment.key for draw, _ in gone)})
    freed = await _release(session, [one.hold.call_id for one in settled if one.hold.is_kept])
    shrunk = await _take_out(session, gone)
    await counters.change(session, _joined(spent, freed, shrunk))
    await ledger.record(session, [one.entry for one in settled], days.zone_named(book.timezone))
    await _count_anew(session, {draw.allotment for draw, amount in used if draw.is_exceeded_by(amount)})
    after_commit(session, partial(_let_go, gone))
    return book


async def give_back(session: AsyncSession, unused: Mapping[Allotment, int]) -> None:
    """Give back so much of closed allotments; from now on, nobody waits for more of them."""
    await counters.lock(session, {allotment.key for allotment in unused})
    changes = await _take_out(session, [(Draw(one, amount), amount) for one, amount in unused.items()])
    await counters.change(session, changes)
    ids = [allotment.id for allotment in unused]
    closed = update(Reservation).where(Reservation.call_id.in_(ids))
    await session.execute(closed.values(is_allotment=False, wanted_at=None))
    await session.execute(delete(Reservation).where(Reservation.call_id.in_(ids), Reservation.amount == 0))


async def want(session: AsyncSession, keys: Collection[PurseKey]) -> None:
    """Ask the processes that have allotments of these purses to give back what they do not use."""
    wanted = update(Reservation).where(tuple_(*KEY).in_(list(keys)), Reservation.is_allotment)
    await session.execute(wanted.where(Reservation.wanted_at.is_(None)).values(wanted_at=now()))


async def may_be_given_back(
    session: AsyncSession, keys: Collection[PurseKey], own: Collection[str], asked_after: datetime
) -> bool:
    """Whether another process has an allotment of these purses, and was not asked before `asked_after` in vain."""
    was_not_asked = Reservation.wanted_at.is_(None) | (Reservation.wanted_at > asked_after)
    others = select(Reservation.call_id).where(
        tuple_(*KEY).in_(list(keys)),
        Reservation.is_allotment,
        Reservation.call_id.not_in(list(own)),
        Reservation.expires_at > now(),
        was_not_asked,
    )
    return await session.scalar(others.limit(1)) is not None


async def wanted(session: AsyncSession, ids: Collection[str]) -> set[str]:
    """Which of these allotments somebody else needs."""
    needed = select(Reservation.call_id).where(
        Reservation.call_id.in_(ids), Reservation.wanted_at.is_not(None)
    )
    return set(await session.scalars(needed))


async def renew(session: AsyncSession, ids: Collection[str]) -> datetime:
    """These calls still run, and these allotments are used: until when what they hold does not expire."""
    until = now() + LEASE
    statement = update(Reservation).where(Reservation.call_id.in_(ids))
    await session.execute(statement.values(expires_at=until))
    return until


async def expire(session: AsyncSession, at: datetime) -> int:
    """Free what killed processes held; how many calls and allotments that were."""
    is_over = Reservation.expires_at < at
    keys = [key for (*key,) in await session.execute(select(*KEY).where(is_over).distinct())]
    if not keys:
        return 0
    await counters.lock(session, {(budget_id, subject, start) for budget_id, subject, start in keys})
    ids = set(await session.scalars(select(Reservation.call_id).where(is_over)))
    await counters.change(session, await _release(session, ids))
    return len(ids)


async def _count_anew(session: AsyncSession, exceeded: Collection[Allotment]) -> None:
    """More was used of these than was held: nobody is to spend what an earlier count had left."""
    if exceeded:
        await want(session, {allotment.key for allotment in exceeded})
        for allotment in exceeded:
            after_commit(session, allotment.exceed)


def _takings(book: Book, entry: Entry) -> dict[PurseKey, int]:
    """What a line of the ledger takes out of each purse."""
    return dict(spent_from(book, counters.payer_of(entry), entry.at, entry))


def _sums(takings: Iterable[Mapping[PurseKey, int]]) -> dict[PurseKey, int]:
    sums: dict[PurseKey, int] = {}
    for taking in takings:
        for key, amount in taking.items():
            sums[key] = sums.get(key, 0) + amount
    return sums


def _let_go(gone: Sequence[tuple[Draw, int]]) -> None:
    for draw, taken in gone:
        draw.let_go(taken)


async def _release(session: AsyncSession, ids: Collection[str]) -> dict[PurseKey, Change]:
    """Let go of all that these hold; what that changes in counters. What expired before changes nothing."""
    if not ids:
        return {}
    rows = await session.execute(
        delete(Reservation).where(Reservation.call_id.in_(ids)).returning(*KEY, RESERVATIONS.c.amount)
    )
    return _joined(
        *(
            {(budget_id, subject, start): Change(reserved=-amount)}
            for budget_id, subject, start, amount in rows
        )
    )


async def _take_out(session: AsyncSession, gone: Sequence[tuple[Draw, int]]) -> dict[PurseKey, Change]:
    """So much leaves these allotments; what that changes in counters. An expired one changes nothing."""
    leaving: dict[Allotment, int] = {}
    for draw, taken in gone:
        if taken:
            leaving[draw.allotment] = leaving.get(draw.allotment, 0) + taken
    if not leaving:
        return {}
    ids = [allotment.id for allotment in leaving]
    alive = set(await session.scalars(select(RESERVATIONS.c.call_id).where(RESERVATIONS.c.call_id.in_(ids))))
    kept = {allotment: taken for allotment, taken in leaving.items() if allotment.id in alive}
    if kept:
        await session.execute(
            TAKE_OUT, [{"of_holder": allotment.id, "taken": taken} for allotment, taken in kept.items()]
        )
    return _joined(*({allotment.key: Change(reserved=-taken)} for allotment, taken in kept.items()))


async def _fill(session: AsyncSession, rows: list[dict[str, object]]) -> None:
    """Add to allotments, or begin them."""
    statement = insert_into(session, RESERVATIONS)
    more = RESERVATIONS.c.amount + statement.excluded.amount
    await session.execute(
        statement.on_conflict_do_update(index_elements=["call_id", "budget_id"], set_={"amount": more}), rows
    )


def _row(holder: str, key: PurseKey, amount: int, *, is_allotment: bool) -> dict[str, object]:
    budget_id, subject, start = key
    return {
        "call_id": holder,
        "budget_id": budget_id,
        "subject": subject,
        "period_start": start,
        "amount": amount,
        "expires_at": now() + LEASE,
        "is_allotment": is_allotment,
    }


def _joined(*parts: Mapping[PurseKey, Change]) -> dict[PurseKey, Change]:
    """Several changes of counters as one."""
    total: dict[PurseKey, Change] = {}
    for part in parts:
        for key, change in part.items():
            so_far = total.get(key, Change())
            total[key] = Change(so_far.spent + change.spent, so_far.reserved + change.reserved)
    return total
