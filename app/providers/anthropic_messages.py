"""A request in Anthropic's words: the body of `POST /v1/messages`."""

from dataclasses import replace

from app.providers.anthropic_formats import as_json
from app.providers.anthropic_thinking import is_thinking, thinking
from app.providers.anthropic_turns import conversation, instructions
from app.providers.base import Request, Tool, ToolUse
from app.providers.unsupported import refused, sayable
from app.providers.untrusted import Json

USUAL_OUTPUT_LIMIT = 16_384
"""`max_tokens` must be given; this is room for a long answer."""

HIGHEST_TEMPERATURE = 1.0
WORDLESS = ("seed", "frequency_penalty", "presence_penalty")
WORDLESS_WHILE_THINKING = ("temperature", "top_k")
CHOICES = {ToolUse.AUTO: "auto", ToolUse.REQUIRED: "any", ToolUse.NONE: "none"}


def messages_body(request: Request, label: str) -> Json:
    """Raises RequestRefused for what Anthropic has no word for."""
    request = _sayable(request, label)
    body: Json = {
        "model": request.model,
        "max_tokens": request.max_output_tokens or USUAL_OUTPUT_LIMIT,
        "messages": conversation(request.turns),
        "stream": request.streaming,
    }
    if said := instructions(request.turns):
        body["system"] = said
    body |= _sampling(request) | _tools(request) | thinking(request)
    return as_json(body, request, label) if request.response_format else body


def _sayable(request: Request, label: str) -> Request:
    request = sayable(request, label, *WORDLESS)
    if is_thinking(request):
        request = sayable(request, f"{label}, while it thinks,", *WORDLESS_WHILE_THINKING)
    if request.temperature is None or request.temperature <= HIGHEST_TEMPERATURE:
        return request
    if not request.is_lenient:
        raise refused(f"{label} knows temperatures from 0 to 1 only.", "temperature")
    return replace(request, temperature=HIGHEST_TEMPERATURE)


def _sampling(request: Request) -> Json:
    said: Json = {
        name: value
        for name in ("temperature", "top_p", "top_k")
        if (value := getattr(request, name)) is not None
    }
    return said | ({"stop_sequences": list(request.stop)} if request.stop else {})


def _tools(request: Request) -> Json:
    if not request.tools:
        return {}
    said: Json = {"tools": [_tool(tool) for tool in request.tools]}
    if choice := _tool_choice(request):
        said["tool_choice"] = choice
    return said


def _tool(tool: Tool) -> Json:
    # A tool without parameters may come without a schema, which is refused.
    schema = {"type": "object", **tool.parameters}
    return {"name": tool.name, "description": tool.description, "input_schema": schema}


def _tool_choice(request: Request) -> Json:
    """Whether calls may be parallel is a part of the choice, for choices that end in calls."""
    choice: Json = {}
    if request.tool_name is not None:
        choice = {"type": "tool", "name": request.tool_name}
    elif request.tool_use is not None:
        choice = {"type": CHOICES[request.tool_use]}
    if request.parallel_tool_calls is False and request.tool_use is not ToolUse.NONE:
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    return choice
