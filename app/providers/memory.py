"""What local servers hold in memory, and are told to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class LoadedModel:
    """A model that a local server holds in memory. Sizes are bytes; None where the server does not tell."""

    name: str
    size: int | None = None
    size_on_gpu: int | None = None
    context_window: int | None = None
    expires_at: datetime | None = None


@runtime_checkable
class KeepsModelsLoaded(Protocol):
    """A local server that is told which models to hold in memory."""

    async def loaded_models(self) -> list[LoadedModel]: ...

    async def load(self, model: str) -> None:
        """Return when it is in memory; that may take minutes."""
        ...

    async def unload(self, model: str) -> None: ...
