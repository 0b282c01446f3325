"""What a program said and was answered, as messages of a conversation. Pure.

Programs send all that was said so far with each call. So that a call goes on where the last one ended, each message
has a *digest* of everything up to it: a call that repeats it follows it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import groupby

import orjson

from app.chats.images import LEFT_OUT, MOST_IMAGES, is_fit
from app.chats.models import MessageRole
from app.chats.posting import LONGEST_PROMPT
from app.chats.storable import storable
from app.providers.base import Image, Role, ToolCall, Turn
from app.providers.untrusted import parsed

RESULT_OF_TOOL = "[Result of a tool]"
CUT = "[The rest was too long to be stored.]"
BACKTICKS = re.compile(r"`{3,}")


@dataclass(frozen=True)
class Said:
    """One message: what one side said before the other did. `digest` is of everything up to it."""

    role: MessageRole
    content: str
    images: tuple[Image, ...] = ()
    reasoning: str = ""
    digest: str = ""


def conversation(owner: str, turns: Sequence[Turn], longest: int) -> list[Said]:
    """The messages that these turns are; `owner` keeps those of several programs apart."""
    digest, told = owner, list[Said]()
    # Where nothing but instructions were sent, they are what was asked.
    spoken = [turn for turn in turns if turn.role is not Role.SYSTEM] or turns
    for is_answer, group in groupby(spoken, lambda turn: turn.role is Role.ASSISTANT):
        block = list(group)
        said = _answered(block) if is_answer else _asked(block)
        digest = _digest(digest, block)
        told.append(replace(said, content=_cut(said.content, longest), digest=digest))
    return told


def answer_after(before: str, answer: Turn) -> Said:
    """The answer to what was told, of which `before` is the digest, as a message; it is never cut."""
    return replace(_answered([answer]), digest=_digest(before, [answer]))


def instructions_in(turns: Iterable[Turn]) -> str:
    """What the program told the model to be, as far as a conversation keeps it."""
    texts = (turn.all_text.strip() for turn in turns if turn.role is Role.SYSTEM)
    return storable("\n\n".join(filter(None, texts)))[:LONGEST_PROMPT]


def _asked(block: Sequence[Turn]) -> Said:
    texts = [
        f"{RESULT_OF_TOOL}\n{turn.all_text}" if turn.role is Role.TOOL else turn.all_text for turn in block
    ]
    images = [image for turn in block for image in turn.all_images]
    fit = [image for image in images if is_fit(image.data)]
    kept = tuple(fit[:MOST_IMAGES])
    texts += [LEFT_OUT] * (len(images) - len(kept))
    return Said(MessageRole.USER, _joined(texts), kept)


def _answered(block: Sequence[Turn]) -> Said:
    texts = [part for turn in block for part in (turn.all_text, *map(_called, turn.tool_calls))]
    thoughts = [thought.text for turn in block for thought in turn.thoughts]
    return Said(MessageRole.ASSISTANT, _joined(texts), reasoning=_joined(thoughts))


def _called(call: ToolCall) -> str:
    """A tool call as Markdown; nothing that stands in it ends the block."""
    longest = max(map(len, BACKTICKS.findall(call.arguments)), default=2)
    fence = "`" * (longest + 1)
    return f"Calls the tool `{call.name.replace('`', '')}`:\n\n{fence}json\n{call.arguments}\n{fence}"


def _joined(texts: Iterable[str]) -> str:
    return storable("\n\n".join(text for text in texts if text.strip()))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}\n\n{CUT}"


def _digest(before: str, block: Sequence[Turn]) -> str:
    """Blind to what clients change when they repeat an answer: white space, thoughts, how JSON is written."""
    hashed = blake2b(before.encode(), digest_size=20)
    hashed.update(b"answer" if block[0].role is Role.ASSISTANT else b"question")
    for turn in block:
        hashed.update("".join(turn.all_text.split()).encode(errors="replace"))
    for image in (image for turn in block for image in turn.all_images):
        hashed.update(image.data)
    for call in (call for turn in block for call in turn.tool_calls):
        hashed.update(f"\n{call.name}\n".encode(errors="replace"))
        hashed.update(_arguments(call))
    return hashed.hexdigest()


def _arguments(call: ToolCall) -> bytes:
    read = parsed(call.arguments)
    if read is None:
        return call.arguments.encode(errors="replace")
    try:
        return orjson.dumps(read, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Nested deeper than can be written again.
        return call.arguments.encode(errors="replace")
