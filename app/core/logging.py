"""Structured logs: one line per event, with the request's id; never message text, keys or passwords."""

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from re import compile as pattern

import orjson

from app.core.settings import Settings

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; whatever it starts tells its events under the same id."""
OURS = "parley"
"""Above all names of logs of ours; the others are the libraries'."""
REFUSED_SOCKET = "ASGI callable returned without completing handshake."
TO_BE_QUOTED = pattern(r"[^!#-<>-\[\]-~]")
"""Spaces, quotation marks, `=`, backslashes, and whatever is not ASCII or cannot be seen."""
DIM, RESET = "\x1b[2m", "\x1b[0m"
COLOURS = {"debug": "\x1b[34m", "info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m"}


class Log:
    """Tells what happens in one part of the server: the event by its name, and details about it."""

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"{OURS}.{part}")

    def info(self, event: str, **details: object) -> None:
        self._tell(logging.INFO, event, details)

    def warning(self, event: str, **details: object) -> None:
        self._tell(logging.WARNING, event, details)

    def error(self, event: str, *, raised: BaseException | None = None, **details: object) -> None:
        """`raised` is told with where it was raised, and without the values it was raised from."""
        self._tell(logging.ERROR, event, details, raised)

    def _tell(
        self, level: int, event: str, details: Mapping[str, object], raised: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            where = None if raised is None else (type(raised), raised, raised.__traceback__)
            record = logging.LogRecord(self._logger.name, level, "", 0, event, None, where)
            record.details = details
            self._logger.handle(record)


def configure(settings: Settings) -> None:
    """Send our events and the libraries' warnings to standard error, in the shape the settings ask for."""
    # Nothing of this is told, and every line would look it up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    level = logging.getLevelNamesMapping()[settings.log_level]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(settings))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger(OURS).setLevel(level)
    logging.getLogger("uvicorn.error").addFilter(_is_a_mistake)


def _is_a_mistake(record: logging.LogRecord) -> bool:
    # uvicorn takes a socket that was refused, with a status and a sentence, for one of ours.
    return record.msg != REFUSED_SOCKET


def _formatter(settings: Settings) -> logging.Formatter:
    if settings.log_format == "json":
        return _Json()
    return _Coloured() if sys.stderr.isatty() else _Text()


class _Text(logging.Formatter):
    """A line of `key=value`, and what was raised below it, as it is read best."""

    def format(self, record: logging.LogRecord) -> str:
        event = _event(record)
        try:
            line = self.line(event)
        except Exception:  # noqa: BLE001  (whatever showing one of the values raises)
            line = self.line({name: _in_ascii(value) for name, value in event.items()})
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def line(self, event: Mapping[str, object]) -> str:
        return " ".join([f"{name}={_word(value)}" for name, value in event.items()])


class _Coloured(_Text):
    """For terminals."""

    def line(self, event: Mapping[str, object]) -> str:
        level = str(event["level"])
        told = " ".join(
            f"{name}={_word(value)}" for name, value in event.items() if name not in ("timestamp", "level")
        ).removeprefix("event=")
        return f"{DIM}{event['timestamp']}{RESET} {COLOURS.get(level, '')}{level:7}{RESET} {told}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = _event(record)
        if record.exc_info:
            # Without local variables: they hold what people wrote, and keys.
            event["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(event, default=repr).decode()
        except TypeError:
            # Half of a surrogate pair, a number beyond 64 bits, a value that cannot be shown: whoever tells of
            # something must never fail for it.
            return orjson.dumps({_in_ascii(name): _in_ascii(value) for name, value in event.items()}).decode()


def _event(record: logging.LogRecord) -> dict[str, object]:
    event: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat()[:-6] + "Z",
        "level": record.levelname.lower(),
        "event": record.getMessage(),
    }
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    details = getattr(record, "details", None)
    return event | ({"logger": record.name} if details is None else details)


def _word(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return orjson.dumps(text).decode() if TO_BE_QUOTED.search(text) else text


def _in_ascii(value: object) -> str:
    try:
        return str(value).encode("ascii", "backslashreplace").decode()
    except Exception:  # noqa: BLE001  (whatever showing it raises)
        return f"{type(value).__name__} that cannot be shown"
