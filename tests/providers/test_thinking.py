from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.events import ReasoningDelta, TextDelta
from app.providers.thinking import ThinkingSplitter


def split(pieces: list[str]) -> tuple[str, str]:
    """Reasoning and text."""
    splitter = ThinkingSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)] + splitter.end()
    thoughts = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    return thoughts, "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize(
    ("answer", "thoughts", "text"),
    [
        ("<think>Hm.</think>\n\nYes.", "Hm.", "Yes."),
        ("\n<think>\nHm.\n</think>Yes.", "Hm.\n", "Yes."),
        ("<think></think>Yes.", "", "Yes."),
        ("<think>Never closed", "Never closed", ""),
        ("<think>a </th> b</think>Yes.", "a </th> b", "Yes."),
        ("No <think>here</think>.", "", "No <think>here</think>."),
        ("<thinner> than that", "", "<thinner> than that"),
        ("<thi", "", "<thi"),
        ("  indented", "", "  indented"),
        ("<think>a</think>b <think>c</think>", "a", "b <think>c</think>"),
    ],
)
@given(places=st.lists(st.integers(min_value=0, max_value=60), max_size=8))
def test_thoughts_are_split_off_wherever_the_text_is_cut(
    answer: str, thoughts: str, text: str, places: list[int]
):
    edges = [0, *sorted(min(place, len(answer)) for place in places), len(answer)]
    pieces = [answer[start:end] for start, end in pairwise(edges)]

    assert split(pieces) == (thoughts, text)
