"""The input of a response, as turns: a text, or items of which several make up one turn of the model's."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from app.providers.base import Role, Turn
from app.v1.fields import Fields
from app.v1.openai import thoughts
from app.v1.openai.content import content_at, turn_of
from app.v1.openai.responses_tools import custom_call_in, function_call_in
from app.v1.surface import BadRequest, Json

ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "developer": Role.SYSTEM}


def turns_in(asked: Fields) -> tuple[Turn, ...]:
    """The conversation at `instructions` and `input`, oldest first. Raises BadRequest."""
    instructions = asked.text("instructions")
    first = (Turn(Role.SYSTEM, instructions),) if instructions else ()
    return (*first, *_input(asked))


def passable(document: Json) -> Json:
    """The document without thoughts that OpenAI would not know again: it refuses what holds one."""
    items = document.get("input")
    if not isinstance(items, list):
        return document
    kept = [
        item
        for item in items
        if not isinstance(item, dict) or item.get("type") != "reasoning" or thoughts.is_openais(item)
    ]
    return {**document, "input": kept}


def _input(asked: Fields) -> Iterable[Turn]:
    given = asked.values.get("input")
    if isinstance(given, str):
        return (Turn(Role.USER, given),)
    items = asked.children("input")
    if not items:
        raise BadRequest("input: a text or at least one item is needed.", "input")
    return _joined(_turn(item) for item in items)


def _joined(turns: Iterable[Turn]) -> list[Turn]:
    """Thoughts, words and calls of the model's that follow each other are one turn."""
    joined: list[Turn] = []
    for turn in turns:
        if turn.role is Role.ASSISTANT and joined and joined[-1].role is Role.ASSISTANT:
            joined[-1] = _together(joined[-1], turn)
        else:
            joined.append(turn)
    return joined


def _together(first: Turn, second: Turn) -> Turn:
    said = turn_of(Role.ASSISTANT, first.content + second.content)
    return replace(
        said,
        tool_calls=first.tool_calls + second.tool_calls,
        thoughts=first.thoughts + second.thoughts,
    )


def _turn(item: Fields) -> Turn:
    kind = item.text("type") or "message"
    if kind == "item_reference":
        raise BadRequest(
            f"{item.path}: no responses are kept here. Send the item itself instead of its id.", item.path
        )
    if kind not in ITEMS:
        raise BadRequest(
            f"{item.at('type')}: items of type “{kind[:40]}” are not read here. Leave it out.",
            item.at("type"),
        )
    return ITEMS[kind](item)


def _message(item: Fields) -> Turn:
    role = item.choice("role", tuple(ROLES)) or item.needed_text("role")
    return turn_of(ROLES[role], content_at(item))


def _function_call(item: Fields) -> Turn:
    return Turn(Role.ASSISTANT, tool_calls=(function_call_in(item),))


def _custom_call(item: Fields) -> Turn:
    return Turn(Role.ASSISTANT, tool_calls=(custom_call_in(item),))


def _output(item: Fields) -> Turn:
    return turn_of(Role.TOOL, content_at(item, "output"), tool_call_id=item.needed_text("call_id"))


def _reasoning(item: Fields) -> Turn:
    thought = thoughts.thought_in(item)
    is_empty = not (thought.text or thought.signature or thought.redacted)
    return Turn(Role.ASSISTANT, thoughts=() if is_empty else (thought,))


ITEMS: dict[str, Callable[[Fields], Turn]] = {
    "message": _message,
    "function_call": _function_call,
    "function_call_output": _output,
    "custom_tool_call": _custom_call,
    "custom_tool_call_output": _output,
    "reasoning": _reasoning,
}
