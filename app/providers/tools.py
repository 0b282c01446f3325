"""Tools, for vendors that know less of them: results that are only text, choices that are only yes or no."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from app.providers.base import Request, Role, ToolCall, ToolUse, Turn
from app.providers.untrusted import Json, parsed

FAILED = "The tool failed: "
SHOWN_BELOW = "(The image is shown below.)"
WHAT_IS_SHOWN = "(What the tools returned:)"


def in_plain_text(turns: Iterable[Turn]) -> Iterator[Turn]:
    """The turns for vendors whose tool results are text: failures are said, images are shown right after."""
    for are_results, group in groupby(turns, key=lambda turn: turn.role is Role.TOOL):
        if not are_results:
            yield from group
            continue
        results = list(group)
        yield from map(_as_text, results)
        if images := tuple(image for result in results for image in result.all_images):
            yield Turn(Role.USER, parts=(WHAT_IS_SHOWN, *images))


def arguments_of(call: ToolCall) -> Json:
    """The arguments as an object. What a model wrote instead of one is kept, under a name of its own."""
    return parsed(call.arguments) or ({"arguments": call.arguments} if _says_something(call) else {})


def only_the_named_tool(request: Request) -> Request:
    """A call of one tool by name, for vendors that can only be told that some tool must be called."""
    if request.tool_name is None:
        return request
    named = tuple(tool for tool in request.tools if tool.name == request.tool_name)
    return replace(request, tools=named, tool_use=ToolUse.REQUIRED, tool_name=None)


def _as_text(result: Turn) -> Turn:
    text = result.all_text or (SHOWN_BELOW if result.all_images else "")
    return replace(
        result, text=FAILED + text if result.is_error else text, images=(), parts=(), is_error=False
    )


def _says_something(call: ToolCall) -> bool:
    return call.arguments.strip() not in {"", "{}", "null"}
