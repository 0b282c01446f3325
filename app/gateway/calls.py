"""The only door to generation: resolve the model, open its provider, meter what was used."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.core.crypto import Vault
from app.core.database import Database
from app.core.settings import Settings
from app.providers.base import Event, Turn


@dataclass(frozen=True)
class Call:
    """Who asks which model (`connection/model`) for what. `origin` names what it is for: `chat:<id>`, `api`."""

    user_id: str
    model: str
    turns: tuple[Turn, ...]
    origin: str
    max_output_tokens: int | None = None
    temperature: float | None = None


class Gateway:
    """One for each process."""

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings

    async def stream(self, call: Call) -> AsyncIterator[Event]:
        """The completion, event by event; entered in the ledger however it ends.

        Raises catalog.access.ModelNotUsable, or a providers.errors.ProviderError.
        """
        raise NotImplementedError
        yield
