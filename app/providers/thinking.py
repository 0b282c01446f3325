"""Takes `<think>…</think>` at the start of an answer for what it is: reasoning, not text.

Servers that do not know a model's habits pass its thoughts on inline; a tag may be split across chunks.
"""

from app.providers.events import Event, ReasoningDelta, TextDelta

OPENING = "<think>"
CLOSING = "</think>"


class ThinkingSplitter:
    """Text in, events out. Only an answer that begins with the tag is split."""

    def __init__(self) -> None:
        self._held = ""
        # Not bound to this splitter: it would hold itself, and be left to the garbage collector with each answer.
        self._take = ThinkingSplitter._at_start

    def feed(self, text: str) -> list[Event]:
        """The events that are certain so far; what may be half a tag is held back."""
        return self._take(self, self._held + text) if text else []

    def end(self) -> list[Event]:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [ReasoningDelta(held) if self._take is ThinkingSplitter._inside else TextDelta(held)]

    def _at_start(self, text: str) -> list[Event]:
        begun = text.lstrip()
        if begun.startswith(OPENING):
            self._take = ThinkingSplitter._just_inside
            return self._just_inside(begun.removeprefix(OPENING))
        if OPENING.startswith(begun):
            self._held = text
            return []
        self._take = ThinkingSplitter._as_it_is
        return self._as_it_is(text)

    def _just_inside(self, text: str) -> list[Event]:
        """Drops the line break between the tag and the thoughts."""
        self._held = ""
        thought = text.lstrip("\n")
        if not thought:
            return []
        self._take = ThinkingSplitter._inside
        return self._inside(thought)

    def _inside(self, text: str) -> list[Event]:
        thought, closed, answer = text.partition(CLOSING)
        if closed:
            self._take = ThinkingSplitter._after
            return [*_reasoning(thought), *self._after(answer)]
        kept = _length_of_half_a_tag(text)
        self._held = text[len(text) - kept :]
        return _reasoning(text[: len(text) - kept])

    def _after(self, text: str) -> list[Event]:
        """Drops the empty lines between the thoughts and the answer."""
        self._held = ""
        answer = text.lstrip()
        if not answer:
            return []
        self._take = ThinkingSplitter._as_it_is
        return [TextDelta(answer)]

    def _as_it_is(self, text: str) -> list[Event]:
        self._held = ""
        return [TextDelta(text)]


def _reasoning(thought: str) -> list[Event]:
    return [ReasoningDelta(thought)] if thought else []


def _length_of_half_a_tag(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of the closing tag."""
    longest = min(len(text), len(CLOSING) - 1)
    return next((size for size in range(longest, 0, -1) if CLOSING.startswith(text[-size:])), 0)
