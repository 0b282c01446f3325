"""A growing text, read in steps of any size, ends as the same page as the whole text at once."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.chats.growth import Growth, Place
from app.chats.rendering import render

MARKDOWN = """# How to *moor*

First a line, **bold** and `code`, and a [chart](https://example.org/chart).
Second line.

| Depth | Place |
| :---- | ----: |
| 4 m   | quay  |

```python
def moor(boat: str) -> str:
    return f"{boat} `is` safe"

```

- [x] lines
  - nested

  with a paragraph
- fenders

Heading below
-------------

1. one
2. two

> Quoted

---

~~~
not ``` closed
    yet
"""
TOKENS = st.lists(
    st.sampled_from(
        [
            "\n",
            "\n\n",
            "\r",
            "\r\n",
            "- ",
            "1. ",
            "# ",
            "```",
            "```py\n",
            "~~~",
            "`",
            "**",
            "*",
            "|",
            "| - |",
            "    ",
            "word ",
            "<b>",
            "[",
            "](",
            ")",
            "> ",
            "---",
            "\t",
            "é",
            "&amp;",
            "\\",
        ]
    ),
    max_size=60,
)


class Reader:
    """What a browser does with the steps."""

    def __init__(self) -> None:
        self.place = Place()
        self.closed = ""
        self.open = ""

    def read(self, growth: Growth) -> None:
        step = growth.step_from(self.place)
        self.closed += str(step.closed)
        if step.open is not None:
            self.open = str(step.open)
        self.open = self.open.replace("</code>", step.more_code + "</code>")
        self.place = step.place


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)).strip()


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), max_size=200), st.lists(st.booleans(), max_size=200))
@example([40] * 8 + [MARKDOWN.index("not ``` closed") - 320], [])  # blocks end in the step that opens a fence
def test_steps_of_any_size_show_the_same_blocks(sizes: list[int], looks: list[bool]) -> None:
    growth, reader, end = Growth(), Reader(), 0
    for size, looks_now in zip(sizes, looks, strict=False):
        end += size
        growth.grow(MARKDOWN[:end])
        if looks_now:
            reader.read(growth)
    growth.grow(MARKDOWN)
    reader.read(growth)

    whole = str(render(MARKDOWN))
    assert whole.startswith(reader.closed)
    assert words_of(reader.closed + reader.open) == words_of(whole)


@settings(deadline=None)  # the renderer is loaded in one of them
@given(TOKENS)
@example(["`", "\n", "```", "é", "```"])
@example(["word", "\n", "[", "# ", "word ", "](", "word", ")"])
@example(["word ", "\r", "word ", "\r", "word ", "\n\n", "word ", "\n\n"])
def test_no_text_breaks_it(pieces: list[str]) -> None:
    growth, reader, text = Growth(), Reader(), ""
    for piece in pieces:
        text += piece
        growth.grow(text)
        reader.read(growth)

    assert str(render(text)).startswith(reader.closed)


def test_finished_blocks_are_sent_once_and_open_code_only_grows() -> None:
    growth, place, sent = Growth(), Place(), 0
    text = "```python\n" + "value = 1\n" * 2_000
    for end in range(0, len(text), 50):
        growth.grow(text[:end])
        step = growth.step_from(place)
        place = step.place
        sent += len(step.closed) + len(step.open or "") + len(step.more_code)

    assert sent < 2 * len(text)
