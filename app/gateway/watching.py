"""Watches an answer that a hard limit pays for: a provider may not heed the maximum that it was told.

Counted generously, so that a provider that does is never interrupted: hardly any text has more characters to a token.
"""

from app.gateway.metering import characters_beyond
from app.gateway.spending import Purpose
from app.providers.base import Event, ReasoningDelta, TextDelta, ToolCallDelta
from app.providers.passage import Passed
from app.usage.needs import Need

CHARACTERS_OF_A_TOKEN = 6
CHARACTERS_OF_A_PIECE = 5
"""Of an answer that passes through unread: providers send at least a token at a time."""
CHARACTERS_TO_SPARE = 120
"""For pieces without words, such as those that open and close an answer."""


class Watch:
    """One answer of at most `most_output` tokens. Sees every event while it streams."""

    def __init__(self, most_output: int) -> None:
        self._left = most_output * CHARACTERS_OF_A_TOKEN + CHARACTERS_TO_SPARE

    @property
    def is_exceeded(self) -> bool:
        """Whether more came than was paid for."""
        return self._left < 0

    def see(self, event: Event) -> None:
        """Runs for every token: no more than taking away."""
        if type(event) is Passed:
            self._left -= event.pieces * CHARACTERS_OF_A_PIECE + characters_beyond(event)
        elif type(event) is TextDelta or type(event) is ReasoningDelta:
            self._left -= len(event.text)
        elif type(event) is ToolCallDelta:
            self._left -= len(event.arguments)


def watched(purpose: Purpose, need: Need | None) -> Need | None:
    """The need, where a limit counts what is written; else there is nothing to watch."""
    if need is None or not any(need.counts_output(purse.budget) for purse in purpose.purses):
        return None
    return need
