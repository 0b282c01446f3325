"""What the verbs of this room work with, when they open their own transactions."""

from dataclasses import dataclass

from app.core.database import Database
from app.core.settings import Settings
from app.live.hub import Hub


@dataclass(frozen=True)
class House:
    """The installation: where it keeps things, how it tells others, and how it signs."""

    database: Database
    hub: Hub
    settings: Settings
    signing_key: str


@dataclass(frozen=True)
class Visit:
    """From where somebody comes: their address, and the browser's own description of itself."""

    address: str
    user_agent: str = ""
