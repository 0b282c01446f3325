"""The gate of one process: a call is let in when every purse that it concerns pays for the most that it can use.

In the ordinary case that is decided in memory, see `allotments`. Near a limit every call asks the database, which
decides exactly; and nobody is refused or cut short while something lies idle that could be given back.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from weakref import WeakValueDictionary

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.core.database import Database, after_commit
from app.core.errors import Unavailable
from app.usage import counters, reservations
from app.usage.allotments import Allotment, Allotments, Draw
from app.usage.counters import Standing
from app.usage.needs import Need, output_paid_for, too_tight
from app.usage.purses import Purse, PurseKey
from app.usage.reservations import Hold

PATIENCE = timedelta(seconds=2)
"""So long another process has to give back what it does not use; one that was killed never does."""
SECONDS_BETWEEN_TRIES = 0.05


class _Unopened(Exception):
    """A purse has no counter yet, or its budget was removed or is not hard any more."""


class _Tight(Exception):
    """The call does not fit, and these purses may have more when what lies idle was given back."""

    def __init__(self, keys: Collection[PurseKey], *, is_elsewhere: bool) -> None:
        super().__init__()
        self.keys = keys
        self.is_elsewhere = is_elsewhere


class Admission:
    """One for each process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._allotments = Allotments(database.changes.generation)
        self._turns: WeakValueDictionary[PurseKey, asyncio.Lock] = WeakValueDictionary()
        self._asking: set[asyncio.Task[Hold]] = set()
        self._looking = asyncio.Lock()

    async def admit(self, call_id: str, purses: Sequence[Purse], need: Need) -> Hold:
        """Hold what the call needs of every purse, or of none. Raises NoRoom or NoPrice."""
        draws, lacking = self._allotments.draw(purses, need)
        if not lacking:
            return Hold(call_id, need.output_tokens, tuple(draws))
        _let_go(draws)
        binding = [purse for purse in purses if need.amount(purse.budget, need.output_tokens) > 0]
        asking = asyncio.create_task(self._ask(call_id, binding, lacking[0].key, need))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        try:
            # Not cut off in the middle: what the database then holds for this process would not be known.
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(_undo)
            raise

    async def look_after(self) -> None:
        """Give back what is not used or is wanted by others, and fill up what runs low: one round."""
        await asyncio.shield(asyncio.create_task(self._look_after()))

    async def close(self) -> None:
        """Give back everything that no call holds."""
        async with self._looking:
            self._allotments.close_all()
            await self._give_back()

    async def renew(self, session: AsyncSession, call_ids: Collection[str]) -> None:
        """What these calls hold, and what this process has, does not expire yet."""
        if ids := {*call_ids, *self._allotments.ids()}:
            until = await reservations.renew(session, ids)
            after_commit(session, lambda: self._allotments.renewed(ids, until))

    async def _look_after(self) -> None:
        async with self._looking:
            if ids := self._allotments.open_ids():
                async with self._database.reading(brief=True) as session:
                    self._allotments.close_unused(await reservations.wanted(session, ids))
            await self._give_back()
            if low := self._allotments.low():
                await self._fill_up(low)

    async def _give_back(self) -> None:
        """Give back what is free of closed allotments."""
        unused = {allotment: allotment.free for allotment in self._allotments.to_give_back()}
        if not unused:
            return
        for allotment in unused:
            allotment.free = 0
        try:
            async with self._database.writing(brief=True) as session:
                await reservations.give_back(session, unused)
        except (SQLAlchemyError, Unavailable):
            for allotment, amount in unused.items():
                allotment.free += amount
            raise
        self._allotments.gave_back(unused)

    async def _ask(self, call_id: str, purses: Sequence[Purse], first: PurseKey, need: Need) -> Hold:
        """What several calls lack is asked for by one of them; the others find it in memory."""
        async with self._turn_of(first):
            are_open = False
            while True:
                try:
                    return await self._reserve(call_id, purses, need, are_open=are_open)
                except _Unopened:
                    are_open = True
                    async with self._database.writing() as session:
                        await counters.open_all(session, purses)
                except _Tight as tight:
                    await self._make_room(tight)

    def _turn_of(self, key: PurseKey) -> AbstractAsyncContextManager[None]:
        return self._turns.setdefault(key, asyncio.Lock())

    async def _reserve(self, call_id: str, purses: Sequence[Purse], need: Need, *, are_open: bool) -> Hold:
        draws, lacking = self._allotments.draw(purses, need)
        if not lacking:
            return Hold(call_id, need.output_tokens, tuple(draws))
        try:
            async with self._database.writing(brief=True) as session:
                found = await counters.locked(session, lacking)
                if len(found) < len(lacking) and not are_open:
                    raise _Unopened
                await self._wait_if_tight(session, found, need)
                output = output_paid_for(found, need)
                amounts, parts = self._divided(found, need, output)
                await reservations.keep(session, call_id, amounts, parts)
        except SQLAlchemyError:
            self._allotments.abandon(lacking)
            _let_go(draws)
            raise
        except BaseException:
            _let_go(draws)
            raise
        for allotment, part in parts.items():
            allotment.fill(part)
            draws.append(allotment.hold(need.amount(allotment.purse.budget, output)))
        return Hold(call_id, output, tuple(draws), is_kept=bool(amounts))

    async def _wait_if_tight(self, session: AsyncSession, found: Sequence[Standing], need: Need) -> None:
        """Raises _Tight when the call does not fit whole, and more may be there in a moment."""
        keys = {standing.purse.key for standing in too_tight(found, need)}
        if not keys:
            return
        if any(self._allotments.free_of(key) for key in keys):
            raise _Tight(keys, is_elsewhere=False)
        if await reservations.may_be_given_back(session, keys, self._allotments.ids(), now() - PATIENCE):
            raise _Tight(keys, is_elsewhere=True)

    def _divided(
        self, found: Sequence[Standing], need: Need, output: int
    ) -> tuple[dict[PurseKey, int], dict[Allotment, int]]:
        """What is held for this call alone; and, of purses far from their limits, for this and the next ones."""
        amounts, parts = {}, {}
        for standing in found:
            amount = need.amount(standing.budget, output)
            if part := self._allotments.part_of(standing, amount):
                parts[self._allotments.expecting(standing.purse, part)] = part
            else:
                amounts[standing.purse.key] = amount
        return amounts, parts

    async def _make_room(self, tight: _Tight) -> None:
        self._allotments.rest(tight.keys)
        if not tight.is_elsewhere:
            await self._give_back()
            return
        async with self._database.writing(brief=True) as session:
            await reservations.want(session, tight.keys)
        await asyncio.sleep(SECONDS_BETWEEN_TRIES)

    async def _fill_up(self, low: Sequence[Allotment]) -> None:
        purses = [allotment.purse for allotment in low]
        largest = {allotment.key: allotment.largest for allotment in low}
        try:
            async with self._database.writing(brief=True) as session:
                parts = {
                    self._allotments.expecting(standing.purse, part): part
                    for standing in await counters.locked(session, purses)
                    if (part := self._allotments.part_of(standing, largest[standing.purse.key]))
                }
                if parts:
                    await reservations.keep(session, "", {}, parts)
        except SQLAlchemyError:
            self._allotments.abandon(purses)
            raise
        for allotment, part in parts.items():
            allotment.fill(part)


def _let_go(draws: Sequence[Draw]) -> None:
    for draw in draws:
        draw.let_go()


def _undo(asking: asyncio.Task[Hold]) -> None:
    """Whoever asked is gone."""
    if not asking.cancelled() and asking.exception() is None:
        asking.result().let_go()
