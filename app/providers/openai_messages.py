"""A request in OpenAI's words: the body of `POST /chat/completions`."""

from base64 import b64encode

from app.providers.base import Image, Request, Role, Tool, ToolCall, Turn
from app.providers.errors import RequestRefused
from app.providers.untrusted import Json

DISPENSABLE = (
    "stream_options",
    "temperature",
    "reasoning_effort",
    "reasoning_format",
    "max_tokens",
)
"""Parameters that can be left out, or said in another way, should a server refuse one of them."""


def chat_body(request: Request) -> Json:
    """The body that nearly every server understands; what the request leaves open is left out."""
    body: Json = {
        "model": request.model,
        "messages": [message(turn) for turn in request.turns],
        "stream": request.streaming,
    }
    if request.streaming:
        # Without it no usage is reported for a stream.
        body["stream_options"] = {"include_usage": True}
    if request.max_output_tokens is not None:
        body["max_tokens"] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.reasoning_effort is not None:
        body["reasoning_effort"] = request.reasoning_effort
    if request.tools:
        body["tools"] = [function_tool(tool) for tool in request.tools]
    return body


def without_refused_parameter(body: Json, error: RequestRefused) -> Json | None:
    """`body` without the parameter that was refused; None when it was not about one we can do without."""
    name = _refused_parameter(body, error)
    if name is None:
        return None
    simpler = {key: value for key, value in body.items() if key != name}
    if name == "max_tokens":
        # Newer models know the limit under its newer name only. It is never dropped: it limits the cost.
        simpler["max_completion_tokens"] = body[name]
    return simpler


def _refused_parameter(body: Json, error: RequestRefused) -> str | None:
    sent = [name for name in DISPENSABLE if name in body]
    if error.parameter is not None:
        return next((name for name in sent if error.parameter.startswith(name)), None)
    return next((name for name in sent if name in error.vendor_words), None)


def message(turn: Turn) -> Json:
    if turn.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": turn.tool_call_id or "", "content": turn.text}
    if turn.tool_calls:
        calls = [_tool_call(call) for call in turn.tool_calls]
        return {"role": "assistant", "content": turn.text or None, "tool_calls": calls}
    return {"role": turn.role.value, "content": _content(turn)}


def function_tool(tool: Tool) -> Json:
    """Also Ollama's shape."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _content(turn: Turn) -> object:
    """Plain text where possible: many servers know no list of parts."""
    if not turn.images:
        return turn.text
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    return [*text, *(_image_part(image) for image in turn.images)]


def _image_part(image: Image) -> Json:
    data = b64encode(image.data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}}


def _tool_call(call: ToolCall) -> Json:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
