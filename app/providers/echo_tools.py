"""Which tools Echo calls: those that it is told to, or the one that it must."""

import orjson

from app.providers.base import Request, Role, Tool, ToolCall, ToolUse
from app.providers.echo_directives import Directives
from app.providers.echo_json import example_of


def calls_for(request: Request, told: Directives) -> tuple[ToolCall, ...]:
    if not request.tools or request.tool_use is ToolUse.NONE:
        return ()
    wanted = _told(request, told) or _forced(request, told.text)
    # Different in every step of a conversation, as some vendors' clients expect.
    return tuple(
        ToolCall(f"call_{len(request.turns)}_{number}", name, arguments)
        for number, (name, arguments) in enumerate(wanted)
    )


def _told(request: Request, told: Directives) -> list[tuple[str, str]]:
    """Not again, once the results are there."""
    if not told.calls or request.turns[-1].role is Role.TOOL:
        return []
    offered = {tool.name for tool in request.tools if request.tool_name in {None, tool.name}}
    calls = [call for call in told.calls if call[0] in offered]
    return calls[:1] if request.parallel_tool_calls is False else calls


def _forced(request: Request, text: str) -> list[tuple[str, str]]:
    """The call that a client insists on, with arguments that fit."""
    if request.tool_name is None and request.tool_use is not ToolUse.REQUIRED:
        return []
    named = [tool for tool in request.tools if request.tool_name in {None, tool.name}]
    return [(tool.name, _arguments(tool, text)) for tool in named[:1]]


def _arguments(tool: Tool, text: str) -> str:
    return orjson.dumps(example_of({"type": "object", **tool.parameters}, text)).decode()
