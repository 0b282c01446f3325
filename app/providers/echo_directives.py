"""The directives at the start of a question to Echo: `/think`, `/long 500`, `/tool weather {"city": "Oslo"}`, …"""

import json
import re
from dataclasses import dataclass

DIRECTIVE = re.compile(
    r"""/(?: (?P<flag>think|markdown|slow|stall|break)
           | (?P<name>long(?=\s+\d{1,5}\b)|fail) \s+ (?P<argument>\w+)
           | tool \s+ (?P<tool>[\w.-]+)
        )(?:\s+|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Directives:
    """`given` are directives with their arguments, `calls` names of tools and JSON for them; `text` is the rest."""

    given: dict[str, str]
    calls: tuple[tuple[str, str], ...]
    text: str


def directives_in(question: str) -> Directives:
    given: dict[str, str] = {}
    calls: list[tuple[str, str]] = []
    while match := DIRECTIVE.match(question):
        question = question[match.end() :]
        if match["tool"]:
            arguments, question = _object_at_start(question)
            calls.append((match["tool"], arguments))
        else:
            given[match["flag"] or match["name"]] = match["argument"] or ""
    return Directives(given, tuple(calls), question)


def _object_at_start(text: str) -> tuple[str, str]:
    """The JSON object that `text` begins with, as it is written, and what follows it; else an empty one."""
    if not text.startswith("{"):
        return "{}", text
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError:
        return "{}", text
    return text[:end], text[end:].lstrip()
