"""Answers in JSON from Anthropic: by a strict schema, or as the arguments of a tool that must be called."""

import re

from app.providers.base import JsonFormat, Request
from app.providers.unsupported import refused
from app.providers.untrusted import Json, object_at

ANSWER_TOOL = "answer_in_json"
"""The tool whose arguments are the answer; nobody calls it."""

KNOWS_NO_FORMAT = re.compile(
    r"(output.?format|output_config|structured.?output).*(not support|not permitted)"
    r"|not support.*(output.?format|output_config|structured.?output)",
    re.IGNORECASE | re.DOTALL,
)


def as_json(body: Json, request: Request, label: str) -> Json:
    """`body` that asks for JSON. A schema that is not strict, or none at all, takes the way of the tool."""
    wanted = request.response_format
    if wanted is None:
        return body
    if wanted.schema is not None and wanted.is_strict:
        form = {"type": "json_schema", "schema": wanted.schema}
        return {**body, "output_config": {**object_at(body, "output_config"), "format": form}}
    if not request.tools:
        return _by_tool(body, wanted)
    if request.is_lenient:
        return body
    raise refused(f"{label} can offer tools and answer in JSON only with a strict schema.", "response_format")


def with_tool_for_format(body: Json, request: Request) -> Json | None:
    """`body` for a model that knows no formats; None where tools are offered that it must be free to call."""
    if request.response_format is None or request.tools:
        return None
    config = {key: value for key, value in object_at(body, "output_config").items() if key != "format"}
    plain = {key: value for key, value in body.items() if key != "output_config"}
    return _by_tool({**plain, "output_config": config} if config else plain, request.response_format)


def _by_tool(body: Json, wanted: JsonFormat) -> Json:
    tool = {
        "name": ANSWER_TOOL,
        "description": "Gives the answer to what was asked.",
        "input_schema": wanted.schema or {"type": "object"},
    }
    return {**body, "tools": [tool], "tool_choice": {"type": "tool", "name": ANSWER_TOOL}}
