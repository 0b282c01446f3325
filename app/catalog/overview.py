"""Connections and models as administrators see them."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.addresses import is_on_this_machine
from app.catalog.models import Connection, Model
from app.catalog.opening import ERRORS
from app.catalog.restrictions import Audience, audience_of, audiences
from app.core.clock import now
from app.providers.errors import ProviderError
from app.providers.registry import KINDS, Kind

UNKNOWN_KIND = Kind("unknown", "Unknown kind", icon="plug", hue=0, open=KINDS["echo"].open)
LONGEST_FIRST_ANSWER = timedelta(minutes=2)
PASSING = frozenset({"rate_limited", "overloaded", "timed_out", "broken_off"})
"""Troubles that end by themselves: a warning, not an error."""


@dataclass(frozen=True)
class State:
    """A light and its word. `light` is `online`, `live`, `warning`, `error` or `off`."""

    light: str
    word: str


@dataclass(frozen=True)
class Card:
    """A connection with what its card says of it."""

    connection: Connection
    kind: Kind
    ticked: int
    total: int
    state: State
    audience: Audience

    @property
    def is_waiting(self) -> bool:
        """Whether its first answer is still on the way, so that the page looks again in a moment."""
        return self.state.light == "live"


@dataclass(frozen=True)
class Group:
    """The models of one connection, as far as they match what was looked for."""

    card: Card
    models: list[Model]
    audiences: dict[str, Audience]
    """Who may use each of the models, by its id."""


async def cards(session: AsyncSession) -> list[Card]:
    """Every connection, by label."""
    connections = list(await session.scalars(select(Connection).order_by(Connection.label, Connection.id)))
    counts = await _counts(session)
    allowed = await audiences(session, connections)
    return [
        _card(connection, *counts.get(connection.id, (0, 0)), allowed[connection.id])
        for connection in connections
    ]


async def card(session: AsyncSession, connection: Connection) -> Card:
    counts = await _counts(session, connection.id)
    return _card(connection, *counts.get(connection.id, (0, 0)), await audience_of(session, connection))


async def groups(
    session: AsyncSession, *, search: str = "", only_ticked: bool = False, connection_id: str | None = None
) -> list[Group]:
    """The models by connection; `search` looks into names. Without a match a connection is left out."""
    # Connections before models: a list that arrives in between is shown, and not taken for an empty one.
    shown = [card for card in await cards(session) if connection_id in (None, card.connection.id)]
    query = select(Model).order_by(Model.display_name, Model.name)
    if search:
        query = query.where(_matches(search))
    if only_ticked:
        query = query.where(Model.is_enabled)
    if connection_id is not None:
        query = query.where(Model.connection_id == connection_id)
    found = list(await session.scalars(query))
    models: dict[str, list[Model]] = {}
    for model in found:
        models.setdefault(model.connection_id, []).append(model)
    allowed = await audiences(session, found)
    is_filtered = bool(search) or only_ticked
    return [
        Group(card, models.get(card.connection.id, []), allowed)
        for card in shown
        if not is_filtered or card.connection.id in models
    ]


def kinds() -> list[Kind]:
    """Every kind of provider that can be connected, in the order of the registry."""
    return list(KINDS.values())


def kind_of(connection: Connection) -> Kind:
    return KINDS.get(connection.kind, UNKNOWN_KIND)


def _card(connection: Connection, ticked: int, total: int, audience: Audience) -> Card:
    return Card(connection, kind_of(connection), ticked, total, _state(connection), audience)


def _state(connection: Connection) -> State:
    if not connection.is_active:
        return State("off", "Off")
    if connection.is_failing:
        light = "warning" if connection.last_error_code in PASSING else "error"
        return State(light, ERRORS.get(connection.last_error_code, ProviderError).word)
    if connection.last_success_at is not None:
        return State(
            "online", "Online, on this machine" if is_on_this_machine(connection.base_url) else "Online"
        )
    if connection.refresh_tried_at is None and now() - connection.changed_at < LONGEST_FIRST_ANSWER:
        return State("live", "Asking for its models")
    return State("off", "Not tested yet")


async def _counts(session: AsyncSession, connection_id: str | None = None) -> dict[str, tuple[int, int]]:
    """Ticked and all models by connection."""
    query = select(Model.connection_id, func.count().filter(Model.is_enabled), func.count()).group_by(
        Model.connection_id
    )
    if connection_id is not None:
        query = query.where(Model.connection_id == connection_id)
    return {found: (ticked, total) for found, ticked, total in await session.execute(query)}


def _matches(search: str) -> ColumnElement[bool]:
    return func.lower(Model.name).contains(search.lower(), autoescape=True) | func.lower(
        Model.display_name
    ).contains(search.lower(), autoescape=True)
