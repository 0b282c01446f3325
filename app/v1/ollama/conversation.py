"""A conversation in Ollama's words, brought to turns."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.providers.base import Image, Role, Thought, ToolCall, Turn
from app.v1.arguments import as_text
from app.v1.fields import Fields
from app.v1.images import image_from_base64

ROLES = tuple(Role)


@dataclass
class Conversation:
    """What was read so far.

    Ollama's clients name calls by the tool's name, if at all: each call gets an id, and each result goes to the
    first call that has none yet, of its tool where it names one.
    """

    turns: list[Turn] = field(default_factory=list)
    _unanswered: list[ToolCall] = field(default_factory=list)
    _calls: int = 0

    def read(self, message: Fields) -> None:
        role = Role(message.needed_choice("role", ROLES))
        text = message.text("content") or ""
        if role is Role.TOOL:
            images = images_in(message)
            self.turns.append(Turn(role, text, images, tool_call_id=self._answered_by(message)))
        elif role is Role.ASSISTANT:
            thought = message.text("thinking")
            thoughts = (Thought(thought),) if thought else ()
            calls = tuple(self._called(message))
            self.turns.append(Turn(role, text, images_in(message), tool_calls=calls, thoughts=thoughts))
        else:
            self.turns.append(Turn(role, text, images_in(message)))

    def _called(self, message: Fields) -> Iterator[ToolCall]:
        for call in message.children("tool_calls"):
            function = call.needed_child("function")
            arguments = function.child("arguments")
            call_id = call.text("id") or f"call_{self._calls}"
            told = ToolCall(
                call_id, function.needed_text("name"), as_text(arguments.values if arguments else {})
            )
            self._calls += 1
            self._unanswered.append(told)
            yield told

    def _answered_by(self, message: Fields) -> str:
        """The id of the call that a tool's message answers."""
        call_id, name = message.text("tool_call_id"), message.text("tool_name")
        for call in self._unanswered:
            if call.id == call_id or (not call_id and name in (None, "", call.name)):
                self._unanswered.remove(call)
                return call.id
        raise message.wrong("tool_name", "answers no call of a tool in this conversation")


def images_in(source: Fields) -> tuple[Image, ...]:
    return tuple(
        image_from_base64(data, source.at(f"images.{index}"))
        for index, data in enumerate(source.texts("images"))
    )
