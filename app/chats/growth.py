"""A growing Markdown text as HTML: finished blocks once, and only the last, open one again and again.

The work grows with the text and not with its square. Pure: text in, HTML out; who sends it, and how
often, is decided in `streaming`. The renderer is loaded with the first text: until then its memory is saved.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from app.chats.rendering import Block

# A last line of these may still become anything: a rule, a heading underline, a list item, a fence; and what begins
# a fence is code in a line of text once further backticks follow.
UNDECIDED_LINE = re.compile(r"[ \t]*(?:[-=#>*+`~|_: \t]+(?:\[[ xX]?\]?)?|\d{1,9}[.)]?|`{3,}[^`]*)\Z")
FENCES = ("```", "~~~")
LONE_RETURN = re.compile(r"\r(?!\n)")
UNCLOSED_LINK = re.compile(r"!?\[([^\[\]\n]*)(?:\]\([^()\n]*)?\Z")


@dataclass(frozen=True)
class Place:
    """How far a reader has come: `closed` characters of source in finished blocks, `code` of an open fence."""

    closed: int = 0
    code: int = 0


@dataclass(frozen=True)
class Step:
    """What brings a reader up to date. `open` of None: the open block stays, `more_code` is added to it."""

    closed: Markup
    open: Markup | None
    more_code: str
    place: Place


class Growth:
    """The HTML of one growing text, shared by all who read it."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._blocks: list[Markup] = []
        self._rendered = 0
        self._read = 0
        self._open = Markup()
        self._open_code: str | None = None
        self._open_language = ""

    @property
    def closed(self) -> int:
        """Characters of source that are in finished blocks."""
        return self._ends[-1] if self._ends else 0

    def grow(self, text: str) -> None:
        """Take in `text`, the whole source so far; it only ever becomes longer."""
        if len(text) == self._rendered:
            return
        self._rendered = len(text)
        text = _with_line_feeds(text)
        if self._continues_fence(text):
            return
        done = self.closed
        source = _without_undecided_line(text[done:])
        starts = _line_starts(source)
        from app.chats.rendering import render_blocks

        blocks = render_blocks(_mended(source))
        closing = blocks if blocks and _is_closed_fence(blocks[-1], source) else blocks[:-1]
        for block, following in zip(closing, [*blocks[1:], None], strict=False):
            end = starts[following.first_line] if following else len(source)
            self._ends.append(done + end)
            self._blocks.append(block.html)
        self._read = done + len(source)
        self._keep_open(blocks[-1] if len(closing) < len(blocks) else None, source, starts)

    def step_from(self, place: Place) -> Step:
        """What a reader at `place` has not seen yet."""
        first = bisect_right(self._ends, place.closed)
        closed = Markup().join(self._blocks[first:])
        if self._open_code is None:
            return Step(closed, self._open, "", Place(self.closed))
        here = Place(self.closed, len(self._open_code))
        if place.closed == self.closed and 0 < place.code <= len(self._open_code):
            return Step(closed, None, escape(self._open_code[place.code :], quote=False), here)
        # Colours wait until the fence is closed: an open one only ever grows at its end.
        from app.chats.rendering import code_figure

        figure = code_figure(self._open_code, self._open_language)
        return Step(closed, Markup(figure), "", here)  # noqa: S704  (escaped by code_figure)

    def _keep_open(self, block: "Block | None", source: str, starts: list[int]) -> None:
        self._open = block.html if block else Markup()
        self._open_code = None
        if block and block.kind == "fence" and source.startswith(FENCES, starts[block.first_line]):
            code_starts = starts[min(block.first_line + 1, len(starts) - 1)]
            # The source itself, not the block's code: that was mended.
            self._open_code = source[code_starts:] if "\n" in source[starts[block.first_line] :] else None
            self._open_language = block.language

    def _continues_fence(self, text: str) -> bool:
        """Add to an open fence without reading it again, unless what came may close it."""
        if self._open_code is None:
            return False
        added = text[self._read :]
        if "`" in added or "~" in added:
            return False
        self._open_code += added
        self._read = len(text)
        return True


def _with_line_feeds(text: str) -> str:
    """A lone CR ends a line in Markdown, too; what one at the end of the text means, the next character tells."""
    return LONE_RETURN.sub("\n", text.removesuffix("\r")) if "\r" in text else text


def _without_undecided_line(source: str) -> str:
    """Hold back a last line whose meaning the next characters decide, so that nothing flickers."""
    head, newline, last = source.rpartition("\n")
    return head + newline if last and UNDECIDED_LINE.match(last) else source


def _mended(source: str) -> str:
    """Close what is still open in the last line, as it most probably will be closed."""
    head, newline, last = source.rpartition("\n")
    last = UNCLOSED_LINK.sub(_label_alone, last)
    if last.count("`") % 2 and not last.lstrip().startswith("```"):
        last += "`"
    elif last.count("**") % 2:
        last = last.removesuffix("*") if last.endswith("***") else last
        last = last[:-2] if last.endswith("**") else last.rstrip() + "**"
    return head + newline + last


def _label_alone(link: re.Match[str]) -> str:
    """What a link that is still being written will show, unless that alone might begin a heading or a list."""
    label = link[1]
    return label if not label or label[0].isalpha() else link[0]


def _is_closed_fence(block: "Block", source: str) -> bool:
    if block.kind != "fence" or not source.endswith("\n"):
        return False
    lines = source.splitlines()
    return block.end_line - block.first_line == block.code.count("\n") + 2 and len(lines) >= block.end_line


def _line_starts(source: str) -> list[int]:
    starts = [0]
    starts.extend(match.end() for match in re.finditer("\n", source))
    return starts
