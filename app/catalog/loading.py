"""Telling local servers to load models, and to let go of them: asked for at once, done in the background.

What was asked for is a row, so that every page, after a reload and in every process, shows how it goes.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import cast

from sqlalchemy import Table, Update, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.catalog.local_servers import KEEPING, LocalServers, keeper
from app.catalog.models import Connection, LoadState, Model, ModelLoad
from app.catalog.opening import OpenProviders, Target, target_of
from app.core.clock import now
from app.core.database import Database, after_commit
from app.core.errors import Conflict, Invalid
from app.core.upserts import insert_into
from app.live.tasks import Tasks
from app.providers.errors import ProviderError
from app.providers.memory import KeepsModelsLoaded

SECONDS_BETWEEN_SIGNS = 5.0


@dataclass(frozen=True)
class Order:
    """What a server is told: to let go of `unload`, or of everything else when it `clears`, then to `load`."""

    target: Target
    model_ids: tuple[str, ...]
    """Models whose rows say how it goes."""
    load: str | None = None
    unload: str | None = None
    clears: bool = False


@dataclass(frozen=True)
class Loading:
    """Carries out what administrators ask of local servers. One for each process."""

    database: Database
    providers: OpenProviders
    tasks: Tasks
    servers: LocalServers

    async def load(
        self, session: AsyncSession, connection: Connection, model: Model, act: Act, *, exclusive: bool
    ) -> ModelLoad:
        """Have a model loaded once the session is committed; `exclusive`: all others are unloaded first.

        Raises Invalid for a server that cannot be told, Conflict while it is told something about this model.
        """
        _refuse_unable(connection)
        row = await _begin(session, model, LoadState.LOADING, is_exclusive=exclusive)
        audit.record(session, act, "model.loaded", subject=f"{connection.name}/{model.name}")
        order = Order(target_of(connection), (model.id,), load=model.name, clears=exclusive)
        after_commit(session, partial(self._start, order))
        return row

    async def unload(
        self, session: AsyncSession, connection: Connection, name: str | None, act: Act
    ) -> list[tuple[Model, ModelLoad]]:
        """Have the model of this name unloaded once the session is committed; None: all that are loaded.

        Raises the same as `load`. What nobody listed yet is unloaded, too, and has no row.
        """
        _refuse_unable(connection)
        named = self._loaded_at(connection) if name is None else [name]
        known = await session.scalars(
            select(Model).where(Model.connection_id == connection.id, Model.name.in_(named))
        )
        told = [(model, await _begin(session, model, LoadState.UNLOADING)) for model in known.all()]
        audit.record(
            session, act, "model.unloaded", subject=f"{connection.name}/{name}" if name else connection.name
        )
        model_ids = tuple(model.id for model, _ in told)
        order = Order(target_of(connection), model_ids, unload=name, clears=name is None)
        after_commit(session, partial(self._start, order))
        return told

    def _loaded_at(self, connection: Connection) -> list[str]:
        heard = self.servers.heard_from(connection.id)
        return [model.name for model in heard.models] if heard else []

    def _start(self, order: Order) -> None:
        self.tasks.start("tell a local server", self._carry_out(order))

    async def _carry_out(self, order: Order) -> None:
        started = time.monotonic()
        signs = self.tasks.start("signs of loading", self._give_signs(order))
        error, took = "", 0.0
        try:
            await _tell(keeper(self.providers, order.target), order)
            took = time.monotonic() - started
        except ProviderError as failure:
            error = str(failure)
        finally:
            signs.cancel()
        await self.servers.look()
        await self._end(order, error, took)

    async def _give_signs(self, order: Order) -> None:
        """Loading may take minutes; as long as somebody waits for it, the rows say so."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_SIGNS)
            async with self.database.writing() as session:
                await session.execute(_rows_of(order).values(heartbeat_at=now()))

    async def _end(self, order: Order, error: str, took: float) -> None:
        ended = _rows_of(order).values(
            state=LoadState.FAILED if error else LoadState.DONE, error=error, ended_at=now()
        )
        if order.load and not error:
            ended = ended.values(last_load_seconds=round(took))
        async with self.database.writing() as session:
            await session.execute(ended)


async def _tell(server: KeepsModelsLoaded, order: Order) -> None:
    unwanted = [order.unload] if order.unload else []
    if order.clears:
        unwanted = [held.name for held in await server.loaded_models() if held.name != order.load]
    for name in unwanted:
        await server.unload(name)
    if order.load:
        await server.load(order.load)


def _rows_of(order: Order) -> Update:
    return update(ModelLoad).where(ModelLoad.model_id.in_(order.model_ids))


def _refuse_unable(connection: Connection) -> None:
    if connection.kind not in KEEPING:
        raise Invalid(
            f"{connection.label} decides itself what it holds in memory. Only Ollama and LM Studio can be told."
        )
    if not connection.is_active:
        raise Invalid(f"{connection.label} is switched off. Switch it on under Administration → Connections.")


async def _begin(
    session: AsyncSession, model: Model, state: LoadState, *, is_exclusive: bool = False
) -> ModelLoad:
    """The row of what begins now, in place of the last time's. Raises Conflict."""
    at = now()
    # Two who ask at the same moment both find no row; the second one waits here for the first.
    table = cast("Table", ModelLoad.__table__)
    nothing_yet = {"model_id": model.id, "state": LoadState.DONE, "error": "", "is_exclusive": False}
    await session.execute(
        insert_into(session, table)
        .values(**nothing_yet, started_at=at, heartbeat_at=at)
        .on_conflict_do_nothing()
    )
    row = await session.get_one(ModelLoad, model.id, with_for_update=True)
    if row.is_under_way_at(at):
        raise Conflict(f"{model.display_name} is {row.state} already. Wait until that is done.")
    row.state, row.error, row.is_exclusive = state, "", is_exclusive
    row.started_at = row.heartbeat_at = at
    row.ended_at = None
    await session.flush()
    return row
