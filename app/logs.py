"""What happens, told as events with details: for every room, so it stands below all of them.

Never told: message text, keys and passwords. How lines look is for `core.logging`; until that was asked to configure
them, as in commands, only the names of events are shown.
"""

import logging
from collections.abc import Mapping
from contextvars import ContextVar

Detail = str | int | float | bool | None

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; whatever it starts tells its events under the same id."""
OURS = "parley"
"""Above the names of all logs of ours; the others are the libraries'."""


class Told(logging.LogRecord):
    """One event."""

    def __init__(
        self, part: str, level: int, event: str, details: Mapping[str, Detail], raised: BaseException | None
    ) -> None:
        where = None if raised is None else (type(raised), raised, raised.__traceback__)
        # Without a place in the source, which no line shows: `Logger.log` would look for it each time.
        super().__init__(part, level, "", 0, event, None, where)
        self.details = details


class Log:
    """Tells what happens in one part of the server: the event by its name, and details about it.

    `raised` is told with where it was raised, and without the values it was raised from.
    """

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"{OURS}.{part}")

    def info(self, event: str, *, raised: BaseException | None = None, **details: Detail) -> None:
        self._tell(logging.INFO, event, details, raised)

    def warning(self, event: str, *, raised: BaseException | None = None, **details: Detail) -> None:
        self._tell(logging.WARNING, event, details, raised)

    def error(self, event: str, *, raised: BaseException | None = None, **details: Detail) -> None:
        self._tell(logging.ERROR, event, details, raised)

    def _tell(
        self, level: int, event: str, details: Mapping[str, Detail], raised: BaseException | None
    ) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.handle(Told(self._logger.name, level, event, details, raised))
