"""Local model servers that run on this machine and are not connected yet.

Looking takes up to a few seconds when something is in the way, so pages never do it themselves: they show
what was found last and ask again in the background.
"""

import asyncio
import time
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.addresses import normalised
from app.catalog.models import Connection
from app.core.errors import Invalid
from app.core.settings import Settings
from app.live.tasks import Tasks
from app.providers.base import Endpoint, Timeouts
from app.providers.errors import ProviderError
from app.providers.registry import KINDS, Kind

SECONDS_FRESH = 20
QUICKLY = Timeouts(connect=1, first_token=3, idle=3)


@dataclass(frozen=True)
class LocalServer:
    """A server that answered, with the number of its models."""

    kind: Kind
    base_url: str
    models: int

    @property
    def host(self) -> str:
        """`127.0.0.1:11434`"""
        return self.base_url.partition("://")[2]


class Detection:
    """What runs on this machine, as far as this process has looked."""

    def __init__(self, settings: Settings, tasks: Tasks) -> None:
        self._addresses = {"ollama": settings.ollama_base_url, "lmstudio": settings.lmstudio_base_url}
        self._tasks = tasks
        self._found: tuple[LocalServer, ...] = ()
        self._looked_at: float | None = None
        self._looking = asyncio.Lock()

    @property
    def is_fresh(self) -> bool:
        return self._looked_at is not None and time.monotonic() - self._looked_at < SECONDS_FRESH

    def default_address(self, kind: Kind) -> str:
        """Where a server of this kind is looked for; for other kinds the vendor's own address."""
        return self._addresses.get(kind.name) or kind.default_base_url

    def look_in_background(self) -> None:
        """So that a page shows next time what it has no time to look for now."""
        if not self.is_fresh:
            self._tasks.start("look for local servers", self.look())

    async def look(self) -> None:
        """Ask the usual addresses, unless that was done a moment ago."""
        async with self._looking:
            if not self.is_fresh:
                answers = await asyncio.gather(*(_probe(kind, url) for kind, url in self._places()))
                self._found = tuple(server for server in answers if server is not None)
                self._looked_at = time.monotonic()

    async def unconnected(self, session: AsyncSession) -> list[LocalServer]:
        """What was found and has no connection yet."""
        known = await session.execute(select(Connection.kind, Connection.base_url))
        connected = {(kind, base_url) for kind, base_url in known}
        return [server for server in self._found if (server.kind.name, server.base_url) not in connected]

    def _places(self) -> list[tuple[Kind, str]]:
        return [(KINDS[name], url) for name, url in self._addresses.items() if name in KINDS and url]


async def _probe(kind: Kind, url: str) -> LocalServer | None:
    try:
        base_url = normalised(kind, url).url
        models = await kind.open(Endpoint(base_url, timeouts=QUICKLY, retries=0)).list_models()
    except (ProviderError, Invalid):
        return None
    return LocalServer(kind, base_url, len(models))
