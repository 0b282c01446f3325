"""Echo: the practice provider. It is no AI; it says back what it was told, so that everything can be tried.

A question may begin with directives, one after another; what follows them is said back:

    /think        thinks aloud before it answers
    /markdown     adds a heading, a list, a table and code
    /long 500     goes on for 500 words more
    /slow         pauses like echo-slow
    /stall        says half of it and then nothing more, until it is stopped or patience (the idle time-out) ends
    /break        breaks off half-way
    /fail CODE    fails before the first word, like a provider would: `rate_limited`, `key_rejected`, …
                  (the codes in errors.py)

Everything is deterministic. One word counts as one token.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from app.providers import errors
from app.providers.base import (
    EmbeddingRequest,
    Embeddings,
    Endpoint,
    Event,
    Finished,
    FinishReason,
    ModelInfo,
    ReasoningDelta,
    Request,
    Role,
    TextDelta,
    Turn,
    Usage,
    UsageReport,
)
from app.providers.echo_vectors import vector_of

WORDS = re.compile(r"\s*\S+|\s+$")
DIRECTIVE = re.compile(
    r"""/(?: (?P<flag>think|markdown|slow|stall|break)
           | (?P<name>long(?=\s+\d{1,5}\b)|fail) \s+ (?P<argument>\w+)
        )(?:\s+|$)""",
    re.VERBOSE,
)
PAUSES = {"echo": 0.02, "echo-fast": 0.0, "echo-slow": 0.4}
"""Seconds before each word."""
CONTEXT_WINDOW = 32_768

NOTICE = "\n\n*Echo is a practice model: it is no AI and only repeats what it is told.*"
THOUGHTS = "Somebody said something. The kindest answer is to say it back, word by word."
TOLD_TO_GO_ON = "Continue your last message"
"""So begins the wish to continue an answer; to repeat it would not be to go on."""
WORDS_TO_GO_ON = 20
FILLER = "And so it goes on, word after word, until everything has been said."
MARKDOWN = """

## A heading

Some **bold** words, some *slanted* ones, `code`, and a [link](https://example.org).

- [x] first
- [ ] second

| Name | Number |
| :--- | ---: |
| one | 1 |
| two | 2 |

```python
def echo(words: str) -> str:
    return words
```"""

FAILURES: dict[str, type[errors.ProviderError]] = {
    kind.code: kind
    for kind in (
        errors.KeyRejected,
        errors.OutOfCredit,
        errors.ModelGone,
        errors.ContextTooLong,
        errors.RequestRefused,
        errors.RateLimited,
        errors.Overloaded,
        errors.NotReachable,
        errors.TimedOut,
        errors.NotTheProtocol,
        errors.BrokenOff,
    )
}


class Echo:
    """Models: `echo` answers at reading speed, `echo-fast` at once, `echo-slow` so that it can be stopped."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def stream(self, request: Request) -> AsyncIterator[Event]:
        script = _script(request, self._endpoint.timeouts.idle)
        if script.failure:
            raise script.failure
        async for event in _spoken(script):
            yield event
        yield UsageReport(_usage(request, script))
        yield Finished(FinishReason.LENGTH if script.is_cut else FinishReason.STOP)

    async def list_models(self) -> list[ModelInfo]:
        names = {"echo": "Echo", "echo-fast": "Echo, fast", "echo-slow": "Echo, slow"}
        return [
            ModelInfo(name, title, CONTEXT_WINDOW, vision=True, tools=False, reasoning=True, embeddings=False)
            for name, title in names.items()
        ]

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        vectors = tuple(vector_of(text, request.dimensions) for text in request.texts)
        words = sum(len(WORDS.findall(text)) for text in request.texts)
        return Embeddings(vectors, Usage(input=words, output=0))


@dataclass(frozen=True)
class Script:
    """What Echo is going to do.

    `stumbles_at` is the number of words after which it fails, `stalls_for` the seconds of silence before that.
    """

    thoughts: list[str]
    words: list[str]
    pause: float
    failure: errors.ProviderError | None = None
    stumbles_at: int | None = None
    stalls_for: float | None = None
    is_cut: bool = False


def _script(request: Request, patience: float) -> Script:
    if request.model not in PAUSES:
        raise errors.ModelGone(
            "Echo does not offer this model.",
            f"Choose one of {', '.join(PAUSES)} under Administration → Models.",
        )
    question = next((turn for turn in reversed(request.turns) if turn.role is Role.USER), Turn(Role.USER))
    directives, text = _directives(question.text)
    words = WORDS.findall(_answer(request.model, question, directives, text))
    limit = request.max_output_tokens
    stumbles = {"stall", "break"} & directives.keys()
    return Script(
        thoughts=WORDS.findall(THOUGHTS) if "think" in directives else [],
        words=words[:limit],
        pause=PAUSES["echo-slow" if "slow" in directives else request.model],
        failure=_failure(directives["fail"]) if "fail" in directives else None,
        stumbles_at=(len(words[:limit]) + 1) // 2 if stumbles else None,
        stalls_for=patience if "stall" in directives else None,
        is_cut=limit is not None and len(words) > limit,
    )


def _directives(question: str) -> tuple[dict[str, str], str]:
    """The directives at the start of the question with their arguments, and the rest of it."""
    found: dict[str, str] = {}
    while match := DIRECTIVE.match(question):
        found[match["flag"] or match["name"]] = match["argument"] or ""
        question = question[match.end() :]
    return found, question


def _answer(model: str, question: Turn, directives: dict[str, str], text: str) -> str:
    parts = [_filler(WORDS_TO_GO_ON) if text.startswith(TOLD_TO_GO_ON) else text]
    if "long" in directives:
        parts.append(_filler(int(directives["long"])))
    if "markdown" in directives:
        parts.append(MARKDOWN)
    parts += [f"\n\n[{image.media_type}, {len(image.data)} bytes]" for image in question.images]
    if model == "echo":
        parts.append(NOTICE)
    return "".join(parts)


def _filler(count: int) -> str:
    words = FILLER.split()
    return "".join(f" {words[number % len(words)]}" for number in range(count))


def _failure(code: str) -> errors.ProviderError:
    kind = FAILURES.get(code, errors.RequestRefused)
    return kind("Echo failed because it was told to.", "Ask again without /fail.")


async def _spoken(script: Script) -> AsyncIterator[Event]:
    for number, event in enumerate(_utterances(script)):
        if script.stumbles_at is not None and number == script.stumbles_at + len(script.thoughts):
            await _stumble(script)
        await asyncio.sleep(script.pause)
        yield event


def _utterances(script: Script) -> Iterator[Event]:
    yield from (ReasoningDelta(word) for word in script.thoughts)
    yield from (TextDelta(word) for word in script.words)


async def _stumble(script: Script) -> None:
    if script.stalls_for is not None:
        await asyncio.sleep(script.stalls_for)
        raise errors.TimedOut("Echo fell silent because it was told to.", "Ask again without /stall.")
    raise errors.BrokenOff("Echo broke off because it was told to.", "Ask again without /break.")


def _usage(request: Request, script: Script) -> Usage:
    heard = sum(len(WORDS.findall(turn.text)) for turn in request.turns)
    return Usage(input=heard, output=len(script.words) + len(script.thoughts), reasoning=len(script.thoughts))
