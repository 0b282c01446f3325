"""A model that does what it is told, so that clients' own test suites have somebody to talk to.

It calls a tool when it is offered one and has no result yet, fills schemas, and else says back what it heard.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

Json = dict[str, Any]

QUOTED = re.compile(r"['\"“](\w+)['\"”]")


@dataclass(frozen=True)
class Heard:
    """What a model is told, whatever language the server speaks. `tools`: JSON Schema of arguments, by name."""

    text: str
    """The last words of the person."""
    tools: dict[str, Json]
    has_result: bool = False
    """Whether a tool's result is the last that was said."""
    must_call: bool = False
    tool_name: str | None = None
    schema: Json | None = None
    wants_json: bool = False


@dataclass(frozen=True)
class Said:
    text: str = ""
    calls: tuple[tuple[str, Json], ...] = ()
    """Name and arguments of each."""


def answer_to(heard: Heard) -> Said:
    if heard.tools and (heard.must_call or not heard.has_result):
        name = heard.tool_name or _meant(heard)
        return Said(calls=((name, filled(heard.tools[name], heard.text)),))
    if heard.schema is not None:
        return Said(orjson.dumps(filled(heard.schema, heard.text)).decode())
    if heard.wants_json:
        wanted = QUOTED.findall(heard.text) or ["answer"]
        return Said(orjson.dumps(dict.fromkeys(wanted, "as you wish")).decode())
    return Said(f"You said: {heard.text}")


def filled(schema: Json, text: str) -> Any:
    """A value that fits `schema`; texts in it are `text`, numbers are the first one in it."""
    return _filled(schema, text, schema.get("$defs", {}))


def _filled(schema: Json, text: str, definitions: Json) -> Any:
    if "$ref" in schema:
        return _filled(definitions[schema["$ref"].rpartition("/")[2]], text, definitions)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _filled(schema[choice][0], text, definitions)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object" | None:
            return {
                name: _filled(part, text, definitions) for name, part in schema.get("properties", {}).items()
            }
        case "array":
            return [_filled(schema.get("items", {"type": "string"}), text, definitions)]
        case "integer" | "number":
            return int(next(iter(re.findall(r"\d+", text)), "1"))
        case "boolean":
            return True
        case "null":
            return None
    return text


def _meant(heard: Heard) -> str:
    """The tool that the text names, else the first."""
    longest_first = sorted(heard.tools, key=len, reverse=True)
    return next((name for name in longest_first if name in heard.text), next(iter(heard.tools)))
