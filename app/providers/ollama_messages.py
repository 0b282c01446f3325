"""A request in Ollama's words: the body of `POST /api/chat`."""

from dataclasses import replace

from app.providers.base import JsonFormat, Request, Role, ToolCall, ToolUse, Turn
from app.providers.errors import RequestRefused
from app.providers.exchange import Repair
from app.providers.ollama_window import window_for
from app.providers.openai_messages import function_tool
from app.providers.reasoning import effort_of
from app.providers.tools import arguments_of, in_plain_text
from app.providers.unsupported import may_be_left_out, sayable
from app.providers.untrusted import Json

OPTIONS = {
    "max_output_tokens": "num_predict",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
"""What Ollama calls a field of Request among a model's options."""

LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def chat_body(request: Request, label: str) -> Json:
    """Raises RequestRefused for what Ollama cannot be told: it chooses tools by itself."""
    request = _about_tools(request, label)
    body: Json = {
        "model": request.model,
        "messages": _messages(request.turns),
        "stream": request.streaming,
        "options": _options(request),
        # An error is better than an answer to half of the conversation.
        "truncate": False,
        "shift": False,
    }
    if request.tools:
        body["tools"] = [function_tool(tool) for tool in request.tools]
    if request.response_format:
        body["format"] = _format(request.response_format)
    if effort := effort_of(request):
        body["think"] = _think(request.model, effort)
    return body


def repair_for(request: Request) -> Repair:
    """Raises RequestRefused when a model is to think, cannot, and may not be asked without."""
    return lambda body, error: _without_thinking(body, error, request)


def _without_thinking(body: Json, error: RequestRefused, request: Request) -> Json | None:
    if "think" not in body or "think" not in error.vendor_words:
        return None
    # A model that cannot think need not be told not to.
    if not request.is_lenient and effort_of(request) != "none":
        raise may_be_left_out(error, "reasoning_effort")
    return {key: value for key, value in body.items() if key != "think"}


def _about_tools(request: Request, label: str) -> Request:
    """Whoever must not call a tool is offered none; that one must be called cannot be said.

    That calls are to be made one by one is kept where the answer is read.
    """
    if request.tool_use is ToolUse.NONE:
        return replace(request, tools=(), tool_use=None, tool_name=None)
    return sayable(request, label, "tool_use", "tool_name")


def _options(request: Request) -> Json:
    options: Json = {"num_ctx": window_for(request)}
    options |= {
        word: value for field, word in OPTIONS.items() if (value := getattr(request, field)) is not None
    }
    if request.stop:
        options["stop"] = list(request.stop)
    return options


def _format(wanted: JsonFormat) -> object:
    return "json" if wanted.schema is None else wanted.schema


def _think(model: str, effort: str) -> bool | str:
    """gpt-oss knows levels only, every other model only on and off."""
    if "gpt-oss" in model:
        return LEVELS.get(effort, "low")
    return effort != "none"


def _messages(turns: tuple[Turn, ...]) -> list[Json]:
    names = {call.id: call.name for turn in turns for call in turn.tool_calls}
    return [_message(turn, names) for turn in in_plain_text(turns)]


def _message(turn: Turn, tool_names: dict[str, str]) -> Json:
    message: Json = {"role": turn.role.value, "content": turn.all_text}
    if turn.all_images:
        message["images"] = [image.base64 for image in turn.all_images]
    if thinking := _own_thoughts(turn):
        message["thinking"] = thinking
    if turn.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in turn.tool_calls]
    if turn.role is Role.TOOL and turn.tool_call_id:
        message["tool_call_id"] = turn.tool_call_id
        message["tool_name"] = tool_names.get(turn.tool_call_id, "")
    return message


def _own_thoughts(turn: Turn) -> str:
    """What is signed is another vendor's."""
    return "\n\n".join(thought.text for thought in turn.thoughts if not thought.signature)


def _tool_call(call: ToolCall) -> Json:
    return {"id": call.id, "function": {"name": call.name, "arguments": arguments_of(call)}}
