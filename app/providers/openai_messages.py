"""A request in OpenAI's words: the body of `POST /chat/completions`."""

from app.providers.base import Image, JsonFormat, Request, Role, Tool, ToolCall, Turn
from app.providers.reasoning import effort_of
from app.providers.tools import in_plain_text
from app.providers.untrusted import Json

WORDS = {
    "max_output_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
"""What OpenAI calls a field of Request. `top_k` is a word of most servers, though not of OpenAI's own."""


def chat_body(request: Request) -> Json:
    """The body that nearly every server understands; what the request leaves open is left out."""
    body: Json = {
        "model": request.model,
        "messages": [message(turn) for turn in in_plain_text(request.turns)],
        "stream": request.streaming,
    }
    if request.streaming:
        # Without it no usage is reported for a stream.
        body["stream_options"] = {"include_usage": True}
    body |= {word: value for field, word in WORDS.items() if (value := getattr(request, field)) is not None}
    if request.stop:
        body["stop"] = list(request.stop)
    if effort := effort_of(request):
        body["reasoning_effort"] = effort
    if request.response_format:
        body["response_format"] = _response_format(request.response_format)
    return body | _tools(request)


def message(turn: Turn) -> Json:
    """One turn; thoughts are left out, because they are no part of this language."""
    if turn.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": turn.tool_call_id or "", "content": turn.all_text}
    if turn.tool_calls:
        calls = [_tool_call(call) for call in turn.tool_calls]
        return {"role": "assistant", "content": _content(turn) or None, "tool_calls": calls}
    return {"role": turn.role.value, "content": _content(turn)}


def function_tool(tool: Tool) -> Json:
    """Also Ollama's shape."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tools(request: Request) -> Json:
    """Nothing without tools: where there is no choice, some servers refuse to be told how to choose."""
    if not request.tools:
        return {}
    said: Json = {"tools": [function_tool(tool) for tool in request.tools]}
    if request.tool_name is not None:
        said["tool_choice"] = {"type": "function", "function": {"name": request.tool_name}}
    elif request.tool_use is not None:
        said["tool_choice"] = request.tool_use.value
    if request.parallel_tool_calls is not None:
        said["parallel_tool_calls"] = request.parallel_tool_calls
    return said


def _response_format(wanted: JsonFormat) -> Json:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema = {"name": wanted.name, "schema": wanted.schema, "strict": wanted.is_strict}
    return {"type": "json_schema", "json_schema": schema}


def _content(turn: Turn) -> object:
    """Plain text where possible: many servers know no list of parts."""
    if not turn.all_images:
        return turn.all_text
    return [_image_part(part) if isinstance(part, Image) else _text_part(part) for part in turn.content]


def _text_part(text: str) -> Json:
    return {"type": "text", "text": text}


def _image_part(image: Image) -> Json:
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{image.base64}"}}


def _tool_call(call: ToolCall) -> Json:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
