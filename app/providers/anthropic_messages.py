"""A request in Anthropic's words: the body of `POST /v1/messages`."""

import re
from base64 import b64encode

from app.providers.base import Image, Request, Role, Tool, ToolCall, Turn
from app.providers.errors import RequestRefused
from app.providers.untrusted import Json, count_at, object_at, parsed, text_at

USUAL_OUTPUT_LIMIT = 16_384
"""`max_tokens` must be given; this is room for a long answer."""

BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576, "max": 32_768}
"""Thinking tokens for models that want a number instead of an effort."""

SMALLEST_BUDGET = 1_024
HIGHEST_TEMPERATURE = 1.0
EARLIER = "(The conversation began earlier.)"
LARGEST_OUTPUT = re.compile(r"max_tokens: \d+ > (\d+)")
ABOUT_THINKING = re.compile(r"thinking|adaptive|effort|output_config")


def messages_body(request: Request) -> Json:
    body: Json = {
        "model": request.model,
        "max_tokens": request.max_output_tokens or USUAL_OUTPUT_LIMIT,
        "messages": conversation(request.turns),
        "stream": request.streaming,
    }
    if instructions := _instructions(request.turns):
        body["system"] = instructions
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    return body | _thinking(request.reasoning_effort) | _temperature(request)


def conversation(turns: tuple[Turn, ...]) -> list[Json]:
    """Turns of user and assistant by turns, as is demanded; the user speaks first, and nothing is empty."""
    messages: list[Json] = []
    for turn in turns:
        content = _content(turn)
        if turn.role is Role.SYSTEM or not content:
            continue
        role = "assistant" if turn.role is Role.ASSISTANT else "user"
        _append(messages, role, content)
    if messages and messages[0]["role"] == "assistant":
        messages.insert(0, {"role": "user", "content": [_text(EARLIER)]})
    return messages


def without_what_was_refused(body: Json, error: RequestRefused) -> Json | None:
    """A body that this model takes: each model allows other ways to think, and other lengths."""
    words = error.vendor_words
    if "temperature" in body and "temperature" in words:
        return _without(body, "temperature")
    if (limit := LARGEST_OUTPUT.search(words)) and int(limit[1]) < (count_at(body, "max_tokens") or 0):
        return {**body, "max_tokens": int(limit[1])}
    if "thinking" in body and ABOUT_THINKING.search(words):
        return _with_simpler_thinking(body)
    return None


def _temperature(request: Request) -> Json:
    """Thinking and temperature exclude each other."""
    if request.temperature is None or request.reasoning_effort not in {None, "none"}:
        return {}
    return {"temperature": min(request.temperature, HIGHEST_TEMPERATURE)}


def _thinking(effort: str | None) -> Json:
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    return {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "low" if effort == "minimal" else effort},
    }


def _with_simpler_thinking(body: Json) -> Json:
    """By effort, then by a budget of tokens, then not at all."""
    simpler = _without(body, "thinking", "output_config")
    if text_at(object_at(body, "thinking"), "type") != "adaptive":
        return simpler
    wanted = BUDGETS.get(text_at(object_at(body, "output_config"), "effort"), BUDGETS["medium"])
    # The budget counts towards `max_tokens`, and half of that is left for the answer.
    budget = min(wanted, (count_at(body, "max_tokens") or 0) // 2)
    if budget < SMALLEST_BUDGET:
        return simpler
    return {**simpler, "thinking": {"type": "enabled", "budget_tokens": budget}}


def _without(body: Json, *names: str) -> Json:
    return {key: value for key, value in body.items() if key not in names}


def _instructions(turns: tuple[Turn, ...]) -> str:
    return "\n\n".join(turn.text for turn in turns if turn.role is Role.SYSTEM and turn.text)


def _append(messages: list[Json], role: str, content: list[Json]) -> None:
    last = messages[-1] if messages else {}
    if last.get("role") == role and isinstance(last["content"], list):
        last["content"].extend(content)
    else:
        messages.append({"role": role, "content": content})


def _content(turn: Turn) -> list[Json]:
    if turn.role is Role.TOOL:
        return [{"type": "tool_result", "tool_use_id": turn.tool_call_id or "", "content": turn.text}]
    # Text that ends in white space is refused at the end of an assistant's turn, empty text everywhere.
    text = turn.text.rstrip() if turn.role is Role.ASSISTANT else turn.text
    parts = [_image(image) for image in turn.images]
    parts += [_text(text)] if text.strip() else []
    return parts + [_tool_use(call) for call in turn.tool_calls]


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _image(image: Image) -> Json:
    data = b64encode(image.data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": data}}


def _tool_use(call: ToolCall) -> Json:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": parsed(call.arguments) or {}}


def _tool(tool: Tool) -> Json:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
