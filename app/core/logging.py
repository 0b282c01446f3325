"""How logs look: one line per event, with the request's id, as text or as JSON; see `app.logs` for what is told."""

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

from app.core.settings import Settings
from app.logs import OURS, REQUEST_ID, Told

REFUSED_SOCKET = "ASGI callable returned without completing handshake."
TO_BE_QUOTED = re.compile(r"[^!#-<>-\[\]-~]")
"""Spaces, quotation marks, `=`, backslashes, and whatever is not ASCII or cannot be seen."""
DIM, RESET = "\x1b[2m", "\x1b[0m"
COLOURS = {"debug": "\x1b[34m", "info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m"}


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
    logging.getLogger("uvicorn.error").addFilter(_is_no_refused_socket)


def _is_no_refused_socket(record: logging.LogRecord) -> bool:
    """uvicorn takes a socket that was refused, with a status and a sentence, for a mistake of ours."""
    return record.msg != REFUSED_SOCKET


def _formatter(settings: Settings) -> logging.Formatter:
    if settings.log_format == "json":
        return _Json()
    return _Coloured() if sys.stderr.isatty() else _Text()


class _Text(logging.Formatter):
    """A line of `key=value`, and what was raised below it, as it is read best."""

    def format(self, record: logging.LogRecord) -> str:
        line = _written(self.line, _event(record))
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def line(self, event: Mapping[str, object]) -> str:
        return " ".join([f"{name}={_word(value)}" for name, value in event.items()])


class _Coloured(_Text):
    """For terminals."""

    def line(self, event: Mapping[str, object]) -> str:
        rest = dict(event)
        at, level, name = rest.pop("timestamp"), str(rest.pop("level")), _word(rest.pop("event"))
        return f"{DIM}{at}{RESET} {COLOURS.get(level, '')}{level:7}{RESET} {name} {super().line(rest)}"


class _Json(logging.Formatter):
    """For machines. What was raised stands under `exception`, without local variables: they hold what people wrote."""

    def format(self, record: logging.LogRecord) -> str:
        event = _event(record)
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _written(_as_json, event)


def _event(record: logging.LogRecord) -> dict[str, object]:
    event: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat()[:-6] + "Z",
        "level": record.levelname.lower(),
        "event": record.msg if isinstance(record, Told) else _message(record),
    }
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    return {**event, **(record.details if isinstance(record, Told) else {"logger": record.name})}


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  (a library's mistake, of which Python would tell with the values)
        return str(record.msg)


def _written(write: Callable[[Mapping[str, object]], str], event: Mapping[str, object]) -> str:
    """Whatever is told, whoever tells of it does not fail: not at half of a surrogate pair, a number beyond 64 bits, or
    a value that cannot be shown.
    """
    try:
        return write(event)
    except Exception:  # noqa: BLE001  (whatever showing one of the values raises)
        return write({name: _in_ascii(value) for name, value in event.items()})


def _as_json(event: Mapping[str, object]) -> str:
    return orjson.dumps(event, default=repr).decode()


def _word(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return json.dumps(text) if TO_BE_QUOTED.search(text) else text


def _in_ascii(value: object) -> object:
    if isinstance(value, float | bool):
        return value
    try:
        return str(value).encode("ascii", "backslashreplace").decode()
    except Exception:  # noqa: BLE001  (whatever showing it raises)
        return f"{type(value).__name__} that cannot be shown"
