from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.wire import decoding
from app.providers.wire.decoding import Decoder, JsonLines, MessageTooLarge, ServerSentEvents

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def decoded(decoder: Decoder, chunks: list[bytes]) -> list[bytes]:
    messages = [message for chunk in chunks for message in decoder.feed(chunk)]
    return [*messages, *decoder.end()]


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(whole) + 1) for place in places), len(whole)]
    return [whole[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(min_value=0, max_value=10_000), max_size=40)


@given(st.lists(ANY_TEXT, max_size=6), LINE_ENDS, CUTS, st.booleans())
def test_events_are_the_same_however_the_bytes_are_cut(
    texts: list[str], line_end: str, places: list[int], has_mark: bool
):
    stream = "".join(
        f": comment{line_end}event: x{line_end}data: {text}{line_end}{line_end}" for text in texts
    )
    whole = (b"\xef\xbb\xbf" if has_mark else b"") + stream.encode()

    assert decoded(ServerSentEvents(), cut(whole, places)) == [text.encode() for text in texts]


@given(st.binary(max_size=200), CUTS)
def test_even_nonsense_is_cut_the_same_way(whole: bytes, places: list[int]):
    assert decoded(ServerSentEvents(), cut(whole, places)) == decoded(ServerSentEvents(), [whole])
    assert decoded(JsonLines(), cut(whole, places)) == decoded(JsonLines(), [whole])


@given(st.lists(ANY_TEXT.filter(lambda text: text.encode().strip()), max_size=6), CUTS)
def test_lines_are_the_same_however_the_bytes_are_cut(texts: list[str], places: list[int]):
    whole = "\n".join(texts).encode()

    assert decoded(JsonLines(), cut(whole, places)) == [text.encode() for text in texts]


def test_data_over_several_lines_is_joined():
    assert decoded(ServerSentEvents(), [b"data: one\ndata:two\ndata\n\n"]) == [b"one\ntwo\n"]


def test_an_event_without_its_empty_line_still_counts_at_the_end():
    assert decoded(ServerSentEvents(), [b"data: [DONE]"]) == [b"[DONE]"]


def test_what_never_ends_is_not_collected_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoding, "LARGEST_MESSAGE", 1_000)

    with pytest.raises(MessageTooLarge):
        decoded(JsonLines(), [b"x" * 100] * 11)
    with pytest.raises(MessageTooLarge):
        decoded(ServerSentEvents(), [b"data: " + b"x" * 100 + b"\n"] * 11)
