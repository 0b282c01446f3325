"""Local servers as administrators see them: what each holds in memory, and what it was told."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.local_servers import KEEPING, Heard, LocalServers
from app.catalog.models import Connection, LoadState, Model, ModelLoad
from app.catalog.overview import kind_of
from app.core.clock import now
from app.providers.memory import LoadedModel
from app.providers.registry import Kind

FAILURES_SHOWN_FOR = timedelta(minutes=10)
FORGOTTEN = "Parley was stopped while it waited. What is listed as loaded is what the server holds now."


@dataclass(frozen=True)
class HeldModel:
    """A model in memory. `full_name` is `connection/model`; sizes are bytes."""

    full_name: str
    label: str
    loaded: LoadedModel


@dataclass(frozen=True)
class Told:
    """What a server was told to do with a model, and how that goes. `seconds`: for how long, or how long it took.

    No server tells how far it is. `taking` is what it says of the model while it loads, where it does.
    """

    full_name: str
    label: str
    state: LoadState
    is_exclusive: bool
    error: str
    started_at: datetime
    seconds: int
    last_seconds: int | None
    """How long it took to load the model the last time."""
    taking: LoadedModel | None

    @property
    def is_under_way(self) -> bool:
        return self.state in (LoadState.LOADING, LoadState.UNLOADING)

    @classmethod
    def of(
        cls, connection: Connection, model: Model, row: ModelLoad, at: datetime, heard: Heard | None = None
    ) -> "Told":
        state = row.state_at(at)
        was_forgotten = state is LoadState.FAILED and not row.error
        return cls(
            full_name=f"{connection.name}/{model.name}",
            label=model.display_name,
            state=state,
            is_exclusive=row.is_exclusive,
            error=FORGOTTEN if was_forgotten else row.error,
            started_at=row.started_at,
            seconds=round(((row.ended_at or at) - row.started_at).total_seconds()),
            last_seconds=row.last_load_seconds,
            taking=_named(model.name, heard) if state is LoadState.LOADING else None,
        )


@dataclass(frozen=True)
class LocalServer:
    """One connection that can be told. `heard` is None until it was asked for the first time."""

    connection: Connection
    kind: Kind
    heard: Heard | None
    held: list[HeldModel]
    told: list[Told]
    """What is under way, and what failed lately."""
    others: list[Model]
    """Models that could be loaded."""

    @property
    def is_changing(self) -> bool:
        """Whether a look in a moment shows something else."""
        return self.heard is None or any(told.is_under_way for told in self.told)


async def local_servers(session: AsyncSession, servers: LocalServers) -> list[LocalServer]:
    """Every active connection that can be told what to load, by label."""
    query = select(Connection).where(Connection.is_active, Connection.kind.in_(KEEPING))
    connections = (await session.scalars(query.order_by(Connection.label, Connection.id))).all()
    models = await _models_of(session, connections)
    at = now()
    return [
        _server(connection, servers.heard_from(connection.id), models[connection.id], at)
        for connection in connections
    ]


Known = tuple[Model, ModelLoad | None]


async def _models_of(session: AsyncSession, connections: Sequence[Connection]) -> dict[str, list[Known]]:
    """The models of each connection that it still offers, and what it was told of them."""
    found = await session.execute(
        select(Model, ModelLoad)
        .outerjoin(ModelLoad, ModelLoad.model_id == Model.id)
        .where(Model.connection_id.in_([connection.id for connection in connections]))
        .where(Model.missing_since.is_(None))
        .order_by(Model.display_name, Model.name)
    )
    models: defaultdict[str, list[Known]] = defaultdict(list)
    for model, row in found:
        models[model.connection_id].append((model, row))
    return models


def _server(connection: Connection, heard: Heard | None, known: list[Known], at: datetime) -> LocalServer:
    labels = {model.name: model.display_name for model, _ in known}
    told = [Told.of(connection, model, row, at, heard) for model, row in known if row is not None]
    loaded = heard.models if heard else ()
    names = {model.name for model in loaded}
    return LocalServer(
        connection=connection,
        kind=kind_of(connection),
        heard=heard,
        held=[
            HeldModel(f"{connection.name}/{model.name}", labels.get(model.name, model.name), model)
            for model in loaded
            # Some servers list what they are only about to hold.
            if model not in [each.taking for each in told]
        ],
        told=[each for each in told if _is_worth_showing(each, at)],
        others=[model for model, _ in known if model.name not in names],
    )


def _named(name: str, heard: Heard | None) -> LoadedModel | None:
    return next((model for model in heard.models if model.name == name), None) if heard else None


def _is_worth_showing(told: Told, at: datetime) -> bool:
    failed_lately = told.state is LoadState.FAILED and at - told.started_at < FAILURES_SHOWN_FOR
    return told.is_under_way or failed_lately
