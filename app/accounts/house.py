"""What the verbs of this room work with, when they open their own transactions."""

from dataclasses import dataclass, field

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
    """From where somebody comes, and the browser's own description of itself.

    `host` is the name under which they asked for us; `was_forwarded` tells that a proxy passed the request on;
    by its `mark` a browser is known again in which somebody logged in before.
    """

    address: str
    user_agent: str = ""
    host: str = ""
    was_forwarded: bool = False
    mark: str = field(default="", repr=False)
