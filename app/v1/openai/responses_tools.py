"""Tools of Responses: functions, alone or in namespaces, and custom tools, which take a plain text.

Models know only functions. A namespace becomes the beginning of a function's name, a custom tool a function with
a single argument; a call is said back to the client in the words in which it offered the tool.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import orjson

from app.providers.base import Tool, ToolCall, ToolUse
from app.v1.fields import Fields
from app.v1.openai.parameters import function
from app.v1.surface import BadRequest, Json

INPUT = "input"


@dataclass(frozen=True)
class Origin:
    """How the client knows a tool."""

    name: str
    namespace: str | None = None
    is_custom: bool = False

    @property
    def function_name(self) -> str:
        """How the model knows it."""
        return f"{self.namespace}__{self.name}" if self.namespace else self.name


@dataclass
class Offered:
    """The tools of a request. `foreign` says where tools stand that only OpenAI itself can run."""

    tools: list[Tool] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    """By the name of the function."""
    foreign: list[str] = field(default_factory=list)


def offered_in(asked: Fields) -> Offered:
    """What `tools` offers. Raises BadRequest."""
    offered = Offered()
    for tool, namespace in _flat(asked.children("tools")):
        kind = tool.needed_text("type")
        if kind not in ("function", "custom"):
            offered.foreign.append(tool.path)
            continue
        origin = Origin(tool.needed_text("name"), namespace, is_custom=kind == "custom")
        described = _custom(tool) if origin.is_custom else function(tool)
        offered.tools.append(replace(described, name=origin.function_name))
        offered.origins[origin.function_name] = origin
    return offered


def choice_in(asked: Fields) -> tuple[ToolUse | None, str | None]:
    """Whether tools must be used, and the function's name of the one that must be."""
    if not isinstance(asked.values.get("tool_choice"), dict):
        use = asked.choice("tool_choice", tuple(ToolUse))
        return (ToolUse(use) if use else None), None
    choice = asked.child("tool_choice")
    if choice is None or choice.text("type") not in ("function", "custom"):
        raise BadRequest(
            "tool_choice: only “auto”, “none”, “required” or one function can be asked for.", "tool_choice"
        )
    return ToolUse.REQUIRED, Origin(choice.needed_text("name"), choice.text("namespace")).function_name


def function_call_in(item: Fields) -> ToolCall:
    """A call of a function that comes back."""
    origin = Origin(item.needed_text("name"), item.text("namespace"))
    return ToolCall(item.needed_text("call_id"), origin.function_name, item.text("arguments") or "")


def custom_call_in(item: Fields) -> ToolCall:
    """A call of a custom tool that comes back."""
    origin = Origin(item.needed_text("name"), item.text("namespace"))
    arguments = orjson.dumps({INPUT: item.text(INPUT) or ""}).decode()
    return ToolCall(item.needed_text("call_id"), origin.function_name, arguments)


def call_item(call: ToolCall, origins: Mapping[str, Origin], item_id: str, status: str) -> Json:
    """A call as the client knows the tool."""
    origin = origins.get(call.name) or Origin(call.name)
    item: Json = {"id": item_id, "call_id": call.id, "name": origin.name, "status": status}
    if origin.namespace:
        item["namespace"] = origin.namespace
    if origin.is_custom:
        return item | {"type": "custom_tool_call", "input": plain_input(call.arguments)}
    return item | {"type": "function_call", "arguments": call.arguments}


def plain_input(arguments: str) -> str:
    """The text that a model gave to a custom tool; all that it wrote where that is something else."""
    try:
        given = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments
    text = given.get(INPUT) if isinstance(given, dict) else None
    return text if isinstance(text, str) else arguments


def _flat(tools: list[Fields], namespace: str | None = None) -> Iterator[tuple[Fields, str | None]]:
    for tool in tools:
        if tool.text("type") == "namespace":
            yield from _flat(tool.children("tools"), tool.needed_text("name"))
        else:
            yield tool, namespace


def _custom(tool: Fields) -> Tool:
    wanted = tool.child("format")
    about = "The whole input of the tool, as plain text."
    if wanted and wanted.text("type") == "grammar":
        about += (
            f" It must fit this {wanted.text('syntax') or ''} grammar:\n{wanted.text('definition') or ''}"
        )
    parameters: Json = {
        "type": "object",
        "properties": {INPUT: {"type": "string", "description": about}},
        "required": [INPUT],
        "additionalProperties": False,
    }
    return Tool(tool.needed_text("name"), tool.text("description") or "", parameters)
