"""Finding out which models a connection offers. What is stored is what pages show; none of them waits here.

A list that could not be fetched changes nothing but the connection's last error.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import connections, health
from app.catalog.defaults import sensible
from app.catalog.models import Connection, Model
from app.catalog.opening import OpenProviders, Target, target_of
from app.core.clock import now
from app.core.database import Database, after_commit
from app.core.errors import NotFound
from app.live.tasks import Tasks
from app.providers.base import ModelInfo
from app.providers.errors import ProviderError

SECONDS_BETWEEN_ROUNDS = 60
REFRESH_AFTER = timedelta(days=1)
PATIENCE = timedelta(hours=1)
"""How long a provider that failed is left alone."""
PATIENCE_WHEN_AWAY = timedelta(minutes=1)
"""A server that was not there may have been started since: asking again is cheap and soon noticed."""
AWAY = ("not_reachable", "not_the_protocol")
LONGEST_TEXT = 300
"""Characters that a model's name, or what is told of it, may have."""


@dataclass(frozen=True)
class Discovery:
    """What doors need to ask providers with."""

    database: Database
    providers: OpenProviders
    tasks: Tasks

    async def test(self, connection_id: str) -> "Answer":
        return await test(self.database, self.providers, connection_id)

    async def refresh(self, connection_id: str) -> "Answer":
        return await refresh(self.database, self.providers, connection_id)

    async def refresh_all(self) -> None:
        """Refresh every active connection, all at once."""
        async with self.database.reading() as session:
            active = list(await session.scalars(select(Connection.id).where(Connection.is_active)))
        await asyncio.gather(
            *(_refresh_if_there(self.database, self.providers, connection_id) for connection_id in active)
        )

    def refresh_after_commit(self, session: AsyncSession, connection_id: str) -> None:
        """Refresh in the background, as soon as the change is kept: no page waits for a provider."""
        after_commit(
            session,
            lambda: self.tasks.start(
                "refresh models", _refresh_if_there(self.database, self.providers, connection_id)
            ),
        )


@dataclass(frozen=True)
class Answer:
    """What a connection said when asked for its models: a list, or an error. `ms` is how long it took."""

    label: str
    ms: int
    models: tuple[ModelInfo, ...] = ()
    error: ProviderError | None = None


async def test(database: Database, providers: OpenProviders, connection_id: str) -> Answer:
    """Ask the connection for its models and keep how that went, not the list. Raises NotFound."""
    label, target = await _read(database, connection_id)
    answer = await _ask(providers, label, target)
    async with database.writing() as session:
        await health.note(session, _sign(target, answer))
    return answer


async def refresh(database: Database, providers: OpenProviders, connection_id: str) -> Answer:
    """Ask the connection for its models and store the list, unless it failed. Raises NotFound.

    On the first list the sensible models are ticked; later ones tick nothing by themselves.
    """
    label, target = await _read(database, connection_id)
    answer = await _ask(providers, label, target)
    async with database.writing() as session:
        await health.note(session, _sign(target, answer))
        connection = await _locked(session, connection_id)
        # Changed or removed while we asked: the answer is about something that is no more.
        if connection is not None and target_of(connection) == target:
            connection.refresh_tried_at = now()
            if answer.error is None:
                await store(session, connection, answer.models)
    return answer


async def refresh_due(database: Database, providers: OpenProviders) -> None:
    """Refresh every active connection whose list is old or whose server was away; a task of the server's."""
    at = now()
    async with database.reading() as session:
        active = list(await session.scalars(select(Connection).where(Connection.is_active)))
    claimed = [
        connection.id
        for connection in active
        if _is_due(connection, at) and await _claim(database, connection, at)
    ]
    # All at once: a silent provider must not keep the others waiting.
    await asyncio.gather(
        *(_refresh_if_there(database, providers, connection_id) for connection_id in claimed)
    )


async def store(session: AsyncSession, connection: Connection, found: Sequence[ModelInfo]) -> None:
    """Bring the connection's models in line with `found`.

    A ticked model that is gone stays, marked missing: people see why it cannot be used, and the tick is
    there when it comes back.
    """
    at = now()
    known = {
        model.name: model
        for model in await session.scalars(select(Model).where(Model.connection_id == connection.id))
    }
    ticked = sensible(found) if connection.refreshed_at is None else frozenset()
    by_name = {info.name: info for info in found if _can_be_named(info.name)}
    for info in by_name.values():
        model = known.get(info.name)
        if model is None:
            model = Model(connection_id=connection.id, name=info.name, is_enabled=info.name in ticked)
            session.add(model)
        _describe(model, info)
    for model in known.values():
        if model.name not in by_name:
            await _lose(session, model, at)
    connection.refreshed_at = at


async def _refresh_if_there(database: Database, providers: OpenProviders, connection_id: str) -> None:
    """A connection that was removed meanwhile needs no list."""
    with suppress(NotFound):
        await refresh(database, providers, connection_id)


async def _read(database: Database, connection_id: str) -> tuple[str, Target]:
    async with database.reading() as session:
        connection = await connections.by_id(session, connection_id)
    return connection.label, target_of(connection)


async def _ask(providers: OpenProviders, label: str, target: Target) -> Answer:
    started = time.perf_counter()
    try:
        models = await providers.provider_for(target).list_models()
    except ProviderError as error:
        return Answer(label, _milliseconds_since(started), error=error)
    return Answer(label, _milliseconds_since(started), tuple(models))


async def _locked(session: AsyncSession, connection_id: str) -> Connection | None:
    return await session.scalar(select(Connection).where(Connection.id == connection_id).with_for_update())


def _can_be_named(name: str) -> bool:
    """Whether people can choose it, keys be kept to it and any database store it: nobody checked what a server lists."""
    return 0 < len(name) <= LONGEST_TEXT and name.isprintable() and name == name.strip()


def _plain(text: str | None) -> str | None:
    """In one line, without characters that are not seen, such as those that turn the direction of writing around."""
    if text is None:
        return None
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:LONGEST_TEXT]


def _describe(model: Model, info: ModelInfo) -> None:
    model.display_name = _plain(info.display_name) or info.name
    model.context_window = info.context_window
    model.max_output_tokens = info.max_output_tokens
    model.vision = info.vision
    model.tools = info.tools
    model.reasoning = info.reasoning
    model.embeddings = info.embeddings
    model.family = _plain(info.family)
    model.parameters = _plain(info.parameters)
    model.quantization = _plain(info.quantization)
    model.size = info.size
    model.missing_since = None


async def _lose(session: AsyncSession, model: Model, at: datetime) -> None:
    # A restricted one stays even without its tick: it must not come back open to everyone.
    if not model.is_enabled and not model.is_restricted:
        await session.delete(model)
    elif model.missing_since is None:
        model.missing_since = at


def _is_due(connection: Connection, at: datetime) -> bool:
    tried = connection.refresh_tried_at
    if connection.is_failing and connection.last_error_code in AWAY:
        return tried is None or at - tried > PATIENCE_WHEN_AWAY
    is_old = connection.refreshed_at is None or at - connection.refreshed_at > REFRESH_AFTER
    return is_old and (tried is None or at - tried > PATIENCE)


async def _claim(database: Database, connection: Connection, at: datetime) -> bool:
    """Whether this process is the one to ask: of several workers that see it due, one gets to."""
    seen = connection.refresh_tried_at
    unchanged = Connection.refresh_tried_at.is_(None) if seen is None else Connection.refresh_tried_at == seen
    async with database.writing() as session:
        claimed = await session.execute(
            update(Connection)
            .where(Connection.id == connection.id, unchanged)
            .values(refresh_tried_at=at)
            .returning(Connection.id)
        )
    return claimed.first() is not None


def _sign(target: Target, answer: Answer) -> health.Sign:
    return health.Sign(target, now(), answer.error, answer.ms if answer.error is None else None)


def _milliseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
