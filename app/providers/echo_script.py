"""What Echo is going to do, decided before it begins: everything follows from the request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from app.providers import errors
from app.providers.base import Image, Request, Role, ToolCall, Turn
from app.providers.echo_directives import Directives, directives_in
from app.providers.echo_json import answer_in
from app.providers.echo_tools import calls_for

WORDS = re.compile(r"\s*\S+|\s+$")
PAUSES = {"echo": 0.02, "echo-fast": 0.0, "echo-slow": 0.4}
"""Seconds before each word."""

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


@dataclass(frozen=True)
class Script:
    """What Echo is going to do.

    `stumbles_at` is the number of words after which it fails, `stalls_for` the seconds of silence before that.
    """

    thoughts: list[str]
    words: list[str]
    pause: float
    calls: tuple[ToolCall, ...] = ()
    failure: errors.ProviderError | None = None
    stumbles_at: int | None = None
    stalls_for: float | None = None
    is_cut: bool = False
    stop_sequence: str | None = None


def script_for(request: Request, patience: float) -> Script:
    """Raises ModelGone."""
    if request.model not in PAUSES:
        raise errors.ModelGone(
            "Echo does not offer this model.",
            f"Choose one of {', '.join(PAUSES)} under Administration → Models.",
        )
    question = next((turn for turn in reversed(request.turns) if turn.role is Role.USER), Turn(Role.USER))
    told = directives_in(question.all_text)
    calls = calls_for(request, told)
    text, stop_sequence = _until(request.stop, _answer(request, question, told, calls))
    words = words_in(text)
    limit = request.max_output_tokens
    is_cut = limit is not None and len(words) + sum(len(words_in(call.arguments)) for call in calls) > limit
    return Script(
        thoughts=words_in(THOUGHTS) if "think" in told.given else [],
        words=words[:limit],
        pause=PAUSES["echo-slow" if "slow" in told.given else request.model],
        calls=() if is_cut else calls,
        failure=_failure(told.given["fail"]) if "fail" in told.given else None,
        stumbles_at=(len(words[:limit]) + 1) // 2 if {"stall", "break"} & told.given.keys() else None,
        stalls_for=patience if "stall" in told.given else None,
        is_cut=is_cut,
        stop_sequence=None if is_cut else stop_sequence,
    )


def words_in(text: str) -> list[str]:
    """Words with the space before them; one word counts as one token."""
    return WORDS.findall(text)


def _answer(request: Request, question: Turn, told: Directives, calls: Sequence[ToolCall]) -> str:
    if calls:
        return told.text if told.calls else ""
    text = _results(request.turns) or told.text or _regret(told)
    if request.response_format:
        return answer_in(request.response_format, text)
    return _at_length(request.model, question, told, text)


def _results(turns: Sequence[Turn]) -> str:
    """What the tools returned, if that is the last that was said."""
    results = takewhile(lambda turn: turn.role is Role.TOOL, reversed(turns))
    return "\n\n".join(reversed([turn.all_text for turn in results]))


def _regret(told: Directives) -> str:
    return f"No tool called {told.calls[0][0]} was offered." if told.calls else ""


def _at_length(model: str, question: Turn, told: Directives, text: str) -> str:
    parts = [_filler(WORDS_TO_GO_ON) if text.startswith(TOLD_TO_GO_ON) else text]
    if "long" in told.given:
        parts.append(_filler(int(told.given["long"])))
    if "markdown" in told.given:
        parts.append(MARKDOWN)
    parts += [_mention(image) for image in question.all_images]
    if model == "echo":
        parts.append(NOTICE)
    return "".join(parts)


def _mention(image: Image) -> str:
    return f"\n\n[{image.media_type}, {len(image.data)} bytes]"


def _filler(count: int) -> str:
    words = FILLER.split()
    return "".join(f" {words[number % len(words)]}" for number in range(count))


def _until(stops: Sequence[str], text: str) -> tuple[str, str | None]:
    """The text before the first of the stop sequences, and which one that is."""
    found = [(place, stop) for stop in stops if stop and (place := text.find(stop)) >= 0]
    if not found:
        return text, None
    place, stop = min(found)
    return text[:place], stop


def _failure(code: str) -> errors.ProviderError:
    kind = errors.BY_CODE.get(code, errors.RequestRefused)
    return kind("Echo failed because it was told to.", "Ask again without /fail.")
