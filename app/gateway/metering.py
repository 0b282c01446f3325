"""Counts one completion while it passes: what came, when, and how it ended."""

import time
from dataclasses import replace

from app.providers.errors import BrokenOff, ProviderError
from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    Retried,
    TextDelta,
    ThoughtEnded,
    ToolCallDelta,
    Usage,
    UsageReport,
)
from app.providers.passage import Passed
from app.usage.estimates import ENCRYPTED_CHARACTERS_OF_ONE, tokens_in_bytes
from app.usage.models import Outcome
from app.usage.pricing import Charge, Price, charge
from app.values import value

CUT_OFF = "cut_off"
"""Code of an answer that the gateway ended, because its provider wrote on beyond what it was told."""
BYTES_OF_A_PIECE = 4
"""Of text, in an answer that passes through unread: providers send about a token at a time."""
TOKENS_OF_AN_EMPTY_ANSWER = 8
"""At most, for pieces that open and close an answer and hold no words."""


@value
class Receipt:
    """What a completion used, what that costs, and how it ended. Times are milliseconds since the call."""

    usage: Usage
    is_estimate: bool
    charge: Charge
    outcome: Outcome
    total_ms: int
    first_token_ms: int | None = None
    error_code: str = ""
    attempts: int = 1
    """How often the provider was asked."""


class Meter:
    """Sees every event of one completion, which is charged at `price`; None: the model has none.

    `estimated_input` stands in while the provider reports nothing; `most_output` is what it was told not to
    exceed. `sees_all`: nothing is paid for that the provider's figures do not tell.
    """

    def __init__(
        self,
        estimated_input: int,
        price: Price | None = None,
        most_output: int | None = None,
        *,
        sees_all: bool = True,
    ) -> None:
        self._estimated_input = estimated_input
        self._price = price
        self._most_output = most_output
        self._sees_all = sees_all
        self._started = time.perf_counter()
        self._first_token: float | None = None
        self._output_bytes = 0
        self.attempts = 1
        self._reported: Usage | None = None
        self._finish_reason: FinishReason | None = None
        self.error: ProviderError | None = None
        self.is_cut_off = False

    def see(self, event: Event) -> None:
        """Runs for every token: no more than adding up."""
        match event:
            case TextDelta(text) | ReasoningDelta(text):
                self._count(text)
            case Passed(_, pieces):
                self._count_bytes(pieces * BYTES_OF_A_PIECE)
            case ToolCallDelta():
                self._count((event.name or "") + event.arguments)
            case ThoughtEnded(redacted=encrypted) if encrypted:
                self._count_bytes(len(encrypted) // ENCRYPTED_CHARACTERS_OF_ONE)
            case UsageReport(usage):
                self._reported = usage
            case Finished(reason):
                self._finish_reason = reason
            case Retried():
                self.attempts += 1

    def ended(self) -> None:
        """The provider has no more events. Raises BrokenOff when the completion is not whole."""
        if self._finish_reason is None:
            raise BrokenOff("The answer broke off before it was whole.", "Try again.")

    @property
    def got_through(self) -> bool:
        """Whether the provider answered at all."""
        return self._first_token is not None or self._finish_reason is not None

    def progress(self) -> int:
        """Grows with all that comes."""
        return self._output_bytes

    def receipt(self) -> Receipt:
        """What was used so far; of a completion that has ended, in all."""
        outcome = self._outcome()
        usage = self._usage(outcome)
        cost = charge(usage, self._price)
        return Receipt(
            usage=usage,
            is_estimate=not self._is_exact(outcome) or cost.is_estimate,
            charge=cost,
            outcome=outcome,
            total_ms=_milliseconds(time.perf_counter() - self._started),
            first_token_ms=None
            if self._first_token is None
            else _milliseconds(self._first_token - self._started),
            error_code=self._code(),
            attempts=self.attempts,
        )

    def _count(self, text: str) -> None:
        self._count_bytes(len(text.encode()))

    def _count_bytes(self, count: int) -> None:
        if self._first_token is None:
            self._first_token = time.perf_counter()
        self._output_bytes += count

    def _code(self) -> str:
        if self.error is not None:
            return self.error.code
        return CUT_OFF if self.is_cut_off else ""

    def _outcome(self) -> Outcome:
        if self.error is not None:
            return Outcome.FAILED
        if self.is_cut_off:
            return Outcome.STOPPED
        return Outcome.STOPPED if self._finish_reason is None else Outcome.FINISHED

    def _is_exact(self, outcome: Outcome) -> bool:
        """Figures are final only with the last event; nothing at all is exactly nothing."""
        if self._was_never_answered(outcome):
            return True
        is_told = self._reported is not None and not self._is_uncounted(self._reported)
        return self._sees_all and outcome is Outcome.FINISHED and is_told

    def _usage(self, outcome: Outcome) -> Usage:
        """The provider's figures; of a completion cut short, whichever is more: reported or counted."""
        if self._was_never_answered(outcome):
            return Usage(input=0, output=0)
        reported = self._reported
        is_final = outcome is Outcome.FINISHED
        if reported is not None and is_final and not self._is_uncounted(reported):
            return reported
        estimated = Usage(self._estimated_input, self._estimated_output())
        if reported is None:
            return estimated
        if is_final:
            return replace(reported, input=reported.input or estimated.input, output=estimated.output)
        return Usage(
            input=reported.input or estimated.input,
            output=max(reported.output, estimated.output),
            cache_read=reported.cache_read,
            cache_write=reported.cache_write,
            reasoning=reported.reasoning,
            cache_write_hour=reported.cache_write_hour,
            service=reported.service,
        )

    def _estimated_output(self) -> int:
        if self.is_cut_off and self._most_output is not None:
            # Of what passed unread not every word was counted, but that it was more than this.
            return self._most_output
        estimate = tokens_in_bytes(self._output_bytes)
        return estimate if self._most_output is None else min(estimate, self._most_output)

    def _is_uncounted(self, reported: Usage) -> bool:
        """Whether the provider reports that it wrote nothing, though it did: some servers fill in zeros."""
        return not reported.output and self._estimated_output() > TOKENS_OF_AN_EMPTY_ANSWER

    def _was_never_answered(self, outcome: Outcome) -> bool:
        return outcome is Outcome.FAILED and not self.got_through and self._reported is None


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
