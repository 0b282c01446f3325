"""A conversation in Anthropic's words: messages made of blocks, by user and assistant in turn."""

import re
from collections.abc import Iterable

from app.providers.base import Image, Role, Thought, ToolCall, Turn
from app.providers.tools import arguments_of
from app.providers.untrusted import Json, objects_at, text_at

NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
EARLIER = "(The conversation began earlier.)"


def instructions(turns: Iterable[Turn]) -> str:
    return "\n\n".join(turn.all_text for turn in turns if turn.role is Role.SYSTEM and turn.all_text)


def conversation(turns: Iterable[Turn]) -> list[Json]:
    """Messages of user and assistant by turns, as is demanded; the user speaks first, and nothing is empty."""
    messages: list[Json] = []
    for turn in turns:
        content = _content(turn)
        if turn.role is Role.SYSTEM or not content:
            continue
        _append(messages, "assistant" if turn.role is Role.ASSISTANT else "user", content)
    if messages and messages[0]["role"] == "assistant":
        messages.insert(0, {"role": "user", "content": [_text(EARLIER)]})
    if messages and messages[-1]["role"] == "assistant":
        _trim(messages[-1])
    return messages


def _append(messages: list[Json], role: str, content: list[Json]) -> None:
    last = messages[-1] if messages else {}
    if last.get("role") == role and isinstance(last["content"], list):
        last["content"].extend(content)
    else:
        messages.append({"role": role, "content": content})


def _trim(message: Json) -> None:
    """White space at the very end of a conversation that the assistant is to go on with is refused."""
    last = objects_at(message, "content")[-1]
    if text := text_at(last, "text"):
        last["text"] = text.rstrip()


def _content(turn: Turn) -> list[Json]:
    if turn.role is Role.TOOL:
        return [_tool_result(turn)]
    thoughts = [_thought(thought) for thought in turn.thoughts if thought.signature or thought.redacted]
    return thoughts + _blocks(turn) + [_tool_use(call) for call in turn.tool_calls]


def _blocks(turn: Turn) -> list[Json]:
    """Text and images in their order; text that is only white space is refused everywhere."""
    return [
        _image(part) if isinstance(part, Image) else _text(part)
        for part in turn.content
        if isinstance(part, Image) or part.strip()
    ]


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _image(image: Image) -> Json:
    source = {"type": "base64", "media_type": image.media_type, "data": image.base64}
    return {"type": "image", "source": source}


def _thought(thought: Thought) -> Json:
    """Unchanged: a thought that differs from the one that was signed is refused."""
    if thought.redacted:
        return {"type": "redacted_thinking", "data": thought.redacted}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}


def _tool_use(call: ToolCall) -> Json:
    return {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": arguments_of(call)}


def _tool_result(turn: Turn) -> Json:
    content = turn.content
    is_plain = len(content) < 2 and not turn.all_images
    result: Json = {
        "type": "tool_result",
        "tool_use_id": _id(turn.tool_call_id or ""),
        "content": turn.all_text if is_plain else _blocks(turn),
    }
    return {**result, "is_error": True} if turn.is_error else result


def _id(text: str) -> str:
    """Other vendors' ids for calls hold characters that are refused here: `functions.weather:0`."""
    return NOT_IN_AN_ID.sub("_", text)
