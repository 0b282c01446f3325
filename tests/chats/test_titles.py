"""A conversation is called after its first question."""

import pytest

from app.chats.posting import title_from


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Where is the lighthouse?", "Where is the lighthouse?"),
        ("\n\n# A **bold** `plan`\nand more", "A bold plan"),
        ("* first\n* second", "first"),
        ("- [x] boil the kettle\n- [ ] pour", "boil the kettle"),
        ("1. [ ] first of all", "first of all"),
        ("Is [x] a box?", "Is [x] a box?"),
        ("```\ncode", "code"),
        ("***", "*"),
        ("- - -", "Conversation"),
        ("word " * 40, "word word word word word word word word word word word word…"),
        ("x" * 200, "x" * 60 + "…"),
    ],
)
def test_the_title_is_the_first_line_without_signs(question: str, title: str) -> None:
    assert title_from(question) == title
