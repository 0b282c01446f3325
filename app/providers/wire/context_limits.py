"""Reads from a vendor's sentence by how much a conversation is too long."""

import re
from collections.abc import Set
from dataclasses import dataclass

CODES = {"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"}
NUMBER = r"([\d,]+)"

# Pairs of (tokens asked for, tokens allowed); the order of the two groups differs from vendor to vendor.
ASKED_FIRST = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"prompt is too long: {NUMBER} tokens > {NUMBER}",  # Anthropic
        rf"request \({NUMBER} tokens\) exceeds the available context size \({NUMBER}",  # llama.cpp
        rf"first {NUMBER} tokens.*context length of only {NUMBER}",  # LM Studio
    )
)
ALLOWED_FIRST = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"maximum context length is {NUMBER}.*?(?:resulted in|requested|request has) (?:about )?{NUMBER}",  # OpenAI, vLLM
        rf"tokens per minute.*Limit {NUMBER},.*Requested {NUMBER}",  # Groq, for a single request
    )
)
INPUT_AND_OUTPUT = re.compile(
    rf"exceed context limit: {NUMBER} \+ {NUMBER} > {NUMBER}", re.IGNORECASE
)  # Anthropic
WITHOUT_NUMBERS = re.compile(
    r"exceeds? (the|this model's) (available |maximum )?context|maximum context length|prompt is too long"
    r"|context (length|window|size)( was| is)? exceeded|reduce the length of the messages|context the overflows"
    r"|input length exceeds",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Limit:
    """In tokens; None where the vendor gave no number."""

    asked: int | None = None
    allowed: int | None = None

    @property
    def excess(self) -> int | None:
        if self.asked is None or self.allowed is None or self.asked <= self.allowed:
            return None
        return self.asked - self.allowed


def read(message: str, codes: Set[str] = frozenset()) -> Limit | None:
    """The limit a complaint is about; None when it is about something else."""
    for limit in _with_numbers(message):
        if limit.excess is not None:
            return limit
    return Limit() if codes & CODES or WITHOUT_NUMBERS.search(message) else None


def _with_numbers(message: str) -> list[Limit]:
    limits = [Limit(_count(m[1]), _count(m[2])) for pattern in ASKED_FIRST for m in pattern.finditer(message)]
    limits += [
        Limit(_count(m[2]), _count(m[1])) for pattern in ALLOWED_FIRST for m in pattern.finditer(message)
    ]
    if match := INPUT_AND_OUTPUT.search(message):
        limits.append(Limit(_count(match[1]) + _count(match[2]), _count(match[3])))
    return limits


def _count(digits: str) -> int:
    return int(digits.replace(",", "") or 0)
