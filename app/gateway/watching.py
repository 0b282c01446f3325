"""Watches an answer that a hard limit pays for: a provider may not heed the maximum that it was told.

Counted generously, so that a provider that does is never interrupted: hardly any text has more characters to a token.
"""

import re

from app.gateway.spending import Purpose
from app.providers.events import Event, ReasoningDelta, TextDelta, ThoughtEnded, ToolCallDelta
from app.providers.passage import Passed
from app.usage.estimates import ENCRYPTED_CHARACTERS_OF_ONE
from app.usage.needs import Need

CHARACTERS_OF_A_TOKEN = 6
CHARACTERS_OF_A_PIECE = 5
"""Of an answer that passes through unread: providers send at least a token at a time."""
BYTES_OF_A_PIECE = 400
"""Pieces that are larger may hold many tokens: only there is looked for the words themselves."""
WORDS = re.compile(
    rb'"(content|text|delta|response|thinking|reasoning|reasoning_content|refusal|arguments|partial_json)"\s*:\s*'
    rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
)
CALLS = re.compile(rb'"arguments"\s*:\s*\{')
"""Tool calls whose arguments are no text, as Ollama sends them: whole, and many in one line."""
BYTES_AROUND_A_CALL = 80
CHARACTERS_TO_SPARE = 120
"""For pieces without words, such as those that open and close an answer, and those that come after its end."""


class Watch:
    """One answer of at most `most_output` tokens. Sees every event while it streams."""

    def __init__(self, most_output: int) -> None:
        self._left = most_output * CHARACTERS_OF_A_TOKEN + CHARACTERS_TO_SPARE
        self._has_ended = False

    @property
    def is_exceeded(self) -> bool:
        """Whether more came than was paid for."""
        return self._left < 0

    def see(self, event: Event) -> None:
        """Runs for every token: no more than taking away."""
        if type(event) is Passed:
            if event.has_end and not self._has_ended:
                # It is too late to hang up on what was said, and the provider's figures follow; but nothing else does.
                self._has_ended = True
                self._left = max(self._left, CHARACTERS_TO_SPARE)
                return
            few = event.pieces * CHARACTERS_OF_A_PIECE
            is_large = len(event.data) > event.pieces * BYTES_OF_A_PIECE
            self._left -= max(few, _characters_in(event.data)) if is_large else few
        elif type(event) is TextDelta or type(event) is ReasoningDelta:
            self._left -= len(event.text)
        elif type(event) is ToolCallDelta:
            # Every call is a token at least, whatever it says.
            begins = CHARACTERS_OF_A_TOKEN + len(event.name) if event.name is not None else 0
            self._left -= begins + len(event.arguments)
        elif type(event) is ThoughtEnded:
            self._left -= len(event.redacted) // ENCRYPTED_CHARACTERS_OF_ONE


def watched(purpose: Purpose, need: Need | None) -> Need | None:
    """The need, where a limit counts what is written; else there is nothing to watch."""
    if need is None or not any(need.counts_output(purse.budget) for purse in purpose.purses):
        return None
    return need


def _characters_in(data: bytes) -> int:
    """How many characters are written in events; what some servers say under two names counts once."""
    counts: dict[bytes, int] = {}
    in_calls = 0
    for line in data.splitlines():
        call = CALLS.search(line)
        # What stands in arguments may be called like that, too: it counts as theirs.
        before, calls = (line[: call.start()], line[call.start() :]) if call else (line, b"")
        for name, words in WORDS.findall(before):
            counts[name] = counts.get(name, 0) + max(1, _length_of(words))
        in_calls += _characters_of_calls(calls)
    return max(counts.values(), default=0) + in_calls


def _characters_of_calls(calls: bytes) -> int:
    count = len(CALLS.findall(calls))
    return max(count * CHARACTERS_OF_A_TOKEN, _length_of(calls) - count * BYTES_AROUND_A_CALL)


def _length_of(words: bytes) -> int:
    """In characters: six signs of JSON may stand for one."""
    return len(words.decode(errors="ignore")) - 5 * words.count(b"\\u")
