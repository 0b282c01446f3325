"""Structured logs: one line per event, with the request's id; never message text, keys or passwords."""

import logging
import sys
from collections.abc import Mapping

import orjson
import structlog
from structlog.processors import ExceptionRenderer, LogfmtRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core.settings import Settings

STAMPED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


LOGFMT = LogfmtRenderer(key_order=["timestamp", "level", "event"])
REFUSED_SOCKET = "ASGI callable returned without completing handshake."


def configure(settings: Settings) -> None:
    """Send our events and the libraries' warnings to standard error, in the shape the settings ask for."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    rendering = _rendering(settings)
    structlog.configure(
        processors=[*STAMPED, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _route_libraries(max(level, logging.WARNING), rendering)


def _rendering(settings: Settings) -> list[Processor]:
    if settings.log_format == "json":
        # Without local variables: they hold what people wrote, and keys.
        tracebacks = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        return [tracebacks, structlog.processors.JSONRenderer(_dumps)]
    if sys.stderr.isatty():
        return [structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, _as_text]


def _dumps(event: Mapping[str, object], **_options: object) -> str:
    try:
        return orjson.dumps(event, default=repr).decode()
    except TypeError:
        # Half of a surrogate pair, a number beyond 64 bits, a value that cannot be shown: whoever tells of something
        # must never fail for it.
        return orjson.dumps({_in_ascii(name): _in_ascii(value) for name, value in event.items()}).decode()


def _in_ascii(value: object) -> str:
    try:
        return str(value).encode("ascii", "backslashreplace").decode()
    except Exception:  # noqa: BLE001  (whatever showing it raises)
        return f"{type(value).__name__} that cannot be shown"


def _as_text(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """A line of `key=value`, and what was raised below it, as it is read best."""
    raised = event.pop("exception", "")
    try:
        line = LOGFMT(logger, name, dict(event))
    except Exception:  # noqa: BLE001  (whatever showing one of the values raises)
        line = LOGFMT(logger, name, {key: _in_ascii(value) for key, value in event.items()})
    return f"{line}\n{raised}" if raised else line


def _route_libraries(level: int, rendering: list[Processor]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    # uvicorn takes a socket that was refused, with a status and a sentence, for a mistake of ours.
    handler.addFilter(lambda record: record.msg != REFUSED_SOCKET)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*STAMPED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
