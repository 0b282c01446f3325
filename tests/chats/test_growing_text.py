"""A text that grows is the same whichever way it is read."""

from hypothesis import given
from hypothesis import strategies as st

from app.chats.growing_text import GrowingText

POSITIONS = st.integers(min_value=0, max_value=40)


@given(st.text(max_size=5), st.lists(st.text(max_size=5) | st.none(), max_size=10), POSITIONS)
def test_readers_begin_anywhere(before: str, parts: list[str | None], position: int) -> None:
    text, whole = GrowingText(before), before

    for part in parts:
        if part is None:
            assert text.whole == whole
        else:
            text.add(part)
            whole += part
        assert text.length == len(whole)
        assert text.since(position) == whole[position:]
