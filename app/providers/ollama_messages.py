"""A request in Ollama's words: the body of `POST /api/chat`."""

from base64 import b64encode

from app.providers.base import Request, Role, ToolCall, Turn
from app.providers.errors import RequestRefused
from app.providers.ollama_window import window_for
from app.providers.openai_messages import function_tool
from app.providers.untrusted import Json, parsed

LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def chat_body(request: Request) -> Json:
    options: Json = {"num_ctx": window_for(request)}
    if request.max_output_tokens is not None:
        options["num_predict"] = request.max_output_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    body: Json = {
        "model": request.model,
        "messages": _messages(request.turns),
        "stream": request.streaming,
        "options": options,
        # An error is better than an answer to half of the conversation.
        "truncate": False,
        "shift": False,
    }
    if request.tools:
        body["tools"] = [function_tool(tool) for tool in request.tools]
    if request.reasoning_effort is not None:
        body["think"] = _think(request.model, request.reasoning_effort)
    return body


def without_thinking(body: Json, error: RequestRefused) -> Json | None:
    """`body` for a model that cannot think, if that is what was refused."""
    if "think" in body and "think" in error.vendor_words:
        return {key: value for key, value in body.items() if key != "think"}
    return None


def _think(model: str, effort: str) -> bool | str:
    """gpt-oss knows levels only, every other model only on and off."""
    if "gpt-oss" in model:
        return LEVELS.get(effort, "low")
    return effort != "none"


def _messages(turns: tuple[Turn, ...]) -> list[Json]:
    names = {call.id: call.name for turn in turns for call in turn.tool_calls}
    return [_message(turn, names) for turn in turns]


def _message(turn: Turn, tool_names: dict[str, str]) -> Json:
    message: Json = {"role": turn.role.value, "content": turn.text}
    if turn.images:
        message["images"] = [b64encode(image.data).decode() for image in turn.images]
    if turn.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in turn.tool_calls]
    if turn.role is Role.TOOL and turn.tool_call_id:
        message["tool_call_id"] = turn.tool_call_id
        message["tool_name"] = tool_names.get(turn.tool_call_id, "")
    return message


def _tool_call(call: ToolCall) -> Json:
    return {"id": call.id, "function": {"name": call.name, "arguments": parsed(call.arguments) or {}}}
