"""The file `.env` as somebody wrote it: which line says what, and which lines say nothing."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from app.core.settings import Settings

NAME = Path(".env")


@dataclass(frozen=True)
class Line:
    """One line that sets something, or tries to: `name` is in capitals, empty where there is none."""

    number: int
    name: str


def read() -> list[Line]:
    """Every line that is neither empty nor a comment; nothing when there is no file. Raises OSError, ValueError."""
    if not NAME.exists():
        return []
    with NAME.open(encoding="utf-8") as file:
        return [Line(_number(binding), (binding.key or "").upper()) for binding in _said(parse_stream(file))]


def line_of(name: str) -> int | None:
    """The line that sets `name`; the last one counts."""
    return max((line.number for line in read() if line.name == name), default=None)


def lines_without_meaning() -> list[int]:
    """Lines that are not `NAME=value`."""
    return [line.number for line in read() if not line.name]


def unknown_names() -> Iterator[str]:
    """A sentence for each name that is no setting of Parley's."""
    known = _names_of_settings()
    for line in read():
        if line.name and line.name not in known:
            alike = difflib.get_close_matches(line.name, known, n=1)
            hint = f" Is {alike[0]} meant?" if alike else ""
            yield f"line {line.number} of {NAME} sets {line.name}, which is no setting.{hint}"


def _said(bindings: Iterator[Binding]) -> Iterator[Binding]:
    return (binding for binding in bindings if binding.key is not None or binding.error)


def _number(binding: Binding) -> int:
    # What the parser hands out begins with the empty lines before it.
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _names_of_settings() -> set[str]:
    return {name.upper() for name in Settings.model_fields} | {"ENCRYPTION_KEY"}
