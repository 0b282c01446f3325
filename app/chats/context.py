"""What a model is told: the system prompt, then as many of the newest turns as its window holds.

Pure. The newest turn and the system prompt are never cut; when they alone are too much, that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.errors import ParleyError
from app.providers.base import Role, Turn
from app.usage.estimates import room_for_answer, tokens_in_turns

ASSUMED_WINDOW = 32_768
"""Tokens, for a model whose provider does not say."""


class QuestionTooLong(ParleyError):
    """The newest turn does not fit into the model's window."""

    status = 422
    code = "context_too_long"
    title = "Too long for this model"


@dataclass(frozen=True)
class Context:
    """The turns to send, oldest first, and how many earlier ones had to stay behind."""

    turns: tuple[Turn, ...]
    left_out: int


def room_for_turns(window: int | None) -> int:
    """Tokens that the turns may take, with room for an answer kept free."""
    window = window or ASSUMED_WINDOW
    return window - room_for_answer(window)


def assemble(system_prompt: str, newest_first: Sequence[Turn], window: int | None) -> Context:
    """Choose what fits of `newest_first`.

    Raises QuestionTooLong when the newest turn with the system prompt is already too much.
    """
    room = room_for_turns(window)
    system = (Turn(Role.SYSTEM, system_prompt),) if system_prompt.strip() else ()
    used = tokens_in_turns(system)
    chosen: list[Turn] = []
    for turn in newest_first:
        used += tokens_in_turns([turn])
        if used > room:
            if not chosen:
                raise QuestionTooLong(_too_long(used, room))
            break
        chosen.append(turn)
    return Context((*system, *reversed(chosen)), left_out=len(newest_first) - len(chosen))


def _too_long(tokens: int, room: int) -> str:
    return (
        f"This message is about {tokens:,} tokens, about {tokens - room:,} more than the model can read at once. "
        "Shorten it, or choose a model with a larger context window."
    )
