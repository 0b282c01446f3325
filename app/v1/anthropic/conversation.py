"""A conversation in Anthropic's words, brought to turns: results of tools become turns of their own."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from app.providers.base import Image, Role, Thought, ToolCall, Turn
from app.v1.anthropic.blocks import OnlyForAnthropic, blocks_at, call_in, part_in, text_at, thought_in
from app.v1.fields import Fields

ROLES = ("user", "assistant", "system")
THOUGHTS = ("thinking", "redacted_thinking")


@dataclass
class Conversation:
    """What was read so far. `beyond` is where something stands that only Anthropic's own models can be told."""

    turns: list[Turn] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)

    def read(self, message: Fields) -> None:
        """Add the turns of one message, in the order of its blocks."""
        match message.needed_choice("role", ROLES):
            case "user":
                self.turns += self._of_user(blocks_at(message, "content"))
            case "assistant":
                self.turns += self._of_assistant(blocks_at(message, "content"))
            case _:
                self.instruct(text_at(message, "content"))

    def instruct(self, text: str) -> None:
        if text:
            self.turns.append(Turn(Role.SYSTEM, text))

    def _of_user(self, blocks: list[Fields]) -> Iterator[Turn]:
        said = Draft(Role.USER)
        for block in blocks:
            if block.text("type") == "tool_result":
                yield from said.turns()
                said = Draft(Role.USER)
                yield self._result(block)
            else:
                said.parts.append(self._part(block))
        yield from said.turns()

    def _of_assistant(self, blocks: list[Fields]) -> Iterator[Turn]:
        said = Draft(Role.ASSISTANT)
        for block in blocks:
            kind = block.text("type")
            if kind in THOUGHTS and said.has_spoken:
                # A turn thinks first. What was thought later must stay behind what it was thought after.
                yield from said.turns()
                said = Draft(Role.ASSISTANT)
            if kind in THOUGHTS:
                said.thoughts.append(thought_in(block))
            elif kind == "tool_use":
                said.calls.append(call_in(block))
            else:
                said.parts.append(self._part(block))
        yield from said.turns()

    def _result(self, block: Fields) -> Turn:
        parts = [self._part(part) for part in blocks_at(block, "content")]
        text, mixed = _text_or_parts(parts)
        is_error = block.flag("is_error") or False
        call_id = block.needed_text("tool_use_id")
        return Turn(Role.TOOL, text, tool_call_id=call_id, is_error=is_error, parts=mixed)

    def _part(self, block: Fields) -> str | Image:
        try:
            return part_in(block)
        except OnlyForAnthropic as error:
            self.beyond.append(error.where)
            # It goes no further than to where tokens are estimated.
            return orjson.dumps(block.values).decode()


@dataclass
class Draft:
    """A turn that is being read."""

    role: Role
    thoughts: list[Thought] = field(default_factory=list)
    parts: list[str | Image] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)

    @property
    def has_spoken(self) -> bool:
        return bool(self.parts or self.calls)

    def turns(self) -> Iterator[Turn]:
        """The turn, unless nothing was read."""
        if self.has_spoken or self.thoughts:
            text, parts = _text_or_parts(self.parts)
            yield Turn(
                self.role, text, tool_calls=tuple(self.calls), thoughts=tuple(self.thoughts), parts=parts
            )


def _text_or_parts(parts: list[str | Image]) -> tuple[str, tuple[str | Image, ...]]:
    """One text alone is the turn's text; anything else are its parts."""
    if not parts:
        return "", ()
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0], ()
    return "", tuple(parts)
