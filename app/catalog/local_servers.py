"""Which models local servers hold in memory, as this process last heard.

Servers are asked in the background, when somebody looks: no page and no call waits for one, and nothing is asked
while nobody wants to know.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.catalog.models import Connection
from app.catalog.opening import OpenProviders, Target, target_of
from app.core.clock import now
from app.core.database import Database
from app.live.tasks import Tasks
from app.providers.errors import ProviderError
from app.providers.memory import KeepsModelsLoaded, LoadedModel
from app.providers.registry import KINDS

KEEPING = tuple(kind.name for kind in KINDS.values() if kind.keeps_models_loaded)
"""Kinds of provider that can be told what to hold in memory."""
SECONDS_FRESH = 3
SECONDS_TO_ANSWER = 10
SILENT = "did not say in time which models it holds. Look again in a moment."


@dataclass(frozen=True)
class Heard:
    """What a server said when it was asked: its loaded models, or, with an `error`, nothing."""

    at: datetime
    models: tuple[LoadedModel, ...] = ()
    error: str = ""

    def holds(self, name: str) -> bool | None:
        """Whether it holds this model; None when it could not be asked."""
        return None if self.error else any(model.name == name for model in self.models)


class LocalServers:
    """One for each process."""

    def __init__(self, database: Database, providers: OpenProviders, tasks: Tasks) -> None:
        self._database = database
        self._providers = providers
        self._tasks = tasks
        self._heard: dict[str, Heard] = {}
        self._looked_at: float | None = None
        self._is_looking = False

    @property
    def is_fresh(self) -> bool:
        return self._looked_at is not None and time.monotonic() - self._looked_at < SECONDS_FRESH

    def heard_from(self, connection_id: str) -> Heard | None:
        """None: it was not asked yet."""
        return self._heard.get(connection_id)

    def holds(self, connection_id: str, name: str) -> bool | None:
        """Whether the server holds this model; None when it was not asked yet, could not be, or has no memory."""
        heard = self._heard.get(connection_id)
        return heard.holds(name) if heard else None

    def look_in_background(self) -> None:
        """So that whoever asks next is told what is true now."""
        if not self.is_fresh and not self._is_looking:
            self._is_looking = True
            self._tasks.start("look into memory", self.look())

    async def look(self) -> None:
        """Ask every server, all at the same time."""
        try:
            targets = await self._targets()
            answers = await asyncio.gather(*map(self._ask, targets))
            self._heard = {
                target.connection_id: heard for target, heard in zip(targets, answers, strict=True)
            }
            self._looked_at = time.monotonic()
        finally:
            self._is_looking = False

    async def _targets(self) -> list[Target]:
        query = select(Connection).where(Connection.is_active, Connection.kind.in_(KEEPING))
        async with self._database.reading() as session:
            return [target_of(connection) for connection in await session.scalars(query)]

    async def _ask(self, target: Target) -> Heard:
        try:
            async with asyncio.timeout(SECONDS_TO_ANSWER):
                return Heard(now(), tuple(await keeper(self._providers, target).loaded_models()))
        except (ProviderError, TimeoutError) as error:
            return Heard(now(), error=str(error) or f"{target.label} {SILENT}")


def keeper(providers: OpenProviders, target: Target) -> KeepsModelsLoaded:
    """The server of `target`. Raises KeyMissing, KeyUnreadable."""
    provider = providers.provider_for(target)
    assert isinstance(provider, KeepsModelsLoaded), target.kind  # noqa: S101  (what `KEEPING` promises)
    return provider
