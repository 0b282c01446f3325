"""Puts an answer together from its events."""

from app.gateway.metering import Receipt
from app.providers.base import Thought, ToolCall
from app.providers.events import Event, Finished, ReasoningDelta, TextDelta, ThoughtEnded, ToolCallDelta
from app.v1.surface import Answer


class Gathering:
    """Takes events of one answer; `finish` fills in the answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._text: list[str] = []
        self._thought: list[str] = []
        self._thoughts: list[Thought] = []
        self._calls: dict[int, list[str]] = {}
        self._names: dict[int, tuple[str, str]] = {}
        self.passed: list[bytes] = []
        """What was passed on of it unread."""
        self.keeps_passed = False
        """Whether that is wanted of a stream."""

    def take(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._thought.append(text)
            case ThoughtEnded(signature, redacted):
                self._end_thought(signature, redacted)
            case ToolCallDelta(index, call_id, name, arguments):
                self._calls.setdefault(index, []).append(arguments)
                self._names.setdefault(index, (call_id or f"call_{self.answer.id}_{index}", name or ""))
            case Finished(reason, stop_sequence):
                self.answer.finish, self.answer.stop_sequence = reason, stop_sequence

    @property
    def size(self) -> int:
        """Bytes that are held of the answer, about: characters of what was read, bytes of what was passed on."""
        thoughts = sum(len(each.text) + len(each.signature) + len(each.redacted) for each in self._thoughts)
        texts = (self._text, self._thought, *self._calls.values())
        read = thoughts + sum(len(text) for each in texts for text in each)
        return read + sum(map(len, self.passed))

    def finish(self, receipt: Receipt) -> Answer:
        """The whole answer, and what it used."""
        answer = self.gathered()
        answer.usage, answer.is_estimate, answer.total_ms = (
            receipt.usage,
            receipt.is_estimate,
            receipt.total_ms,
        )
        return answer

    def gathered(self) -> Answer:
        """The answer, as far as it came."""
        if self._thought:
            self._end_thought("", "")
        answer = self.answer
        answer.text = "".join(self._text)
        answer.thoughts = tuple(self._thoughts)
        answer.tool_calls = tuple(
            ToolCall(*self._names[index], "".join(arguments)) for index, arguments in self._calls.items()
        )
        return answer

    def _end_thought(self, signature: str, redacted: str) -> None:
        self._thoughts.append(Thought("".join(self._thought), signature, redacted))
        self._thought = []
