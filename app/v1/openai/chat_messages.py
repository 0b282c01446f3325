"""The messages of a chat completion, as turns."""

from collections.abc import Callable
from dataclasses import replace

from app.providers.base import Role, ToolCall, Turn
from app.v1.fields import Fields
from app.v1.openai.content import content_at, turn_of
from app.v1.openai.thoughts import thoughts_in
from app.v1.surface import BadRequest


def turns_in(asked: Fields) -> tuple[Turn, ...]:
    """The conversation at `messages`, oldest first. Raises BadRequest.

    A participant's `name` is left out: most vendors have no word for it.
    """
    messages = asked.children("messages")
    if not messages:
        raise BadRequest("messages: at least one message is needed.", "messages")
    return tuple(_turn(message) for message in messages)


def _turn(message: Fields) -> Turn:
    role = message.needed_text("role")
    if role not in READERS:
        raise message.wrong("role", f"must be one of {', '.join(READERS)}")
    return READERS[role](message)


def _system(message: Fields) -> Turn:
    return turn_of(Role.SYSTEM, content_at(message))


def _user(message: Fields) -> Turn:
    return turn_of(Role.USER, content_at(message))


def _assistant(message: Fields) -> Turn:
    if "function_call" in message:
        raise message.wrong("function_call", "is outdated; say it in `tool_calls`")
    said = content_at(message) or content_at(message, "refusal")
    calls = tuple(_tool_call(call) for call in message.children("tool_calls"))
    return replace(turn_of(Role.ASSISTANT, said), tool_calls=calls, thoughts=thoughts_in(message))


def _tool(message: Fields) -> Turn:
    return turn_of(Role.TOOL, content_at(message), tool_call_id=message.needed_text("tool_call_id"))


def _tool_call(call: Fields) -> ToolCall:
    function = call.child("function")
    if function is None:
        raise call.wrong("function", "is needed; no other type of tool is known here")
    return ToolCall(call.needed_text("id"), function.needed_text("name"), function.text("arguments") or "")


READERS: dict[str, Callable[[Fields], Turn]] = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
}
