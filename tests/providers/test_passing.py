"""Documents and answers that pass through: what is changed in the one, and how the other is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.base import Request
from app.providers.ollama_passing import language_for
from app.providers.openai_passing import passed_document
from app.providers.passage import Dialect, Passage
from app.providers.passing import EVENTS, LINES, WholeMessages
from app.providers.untrusted import Json

STREAM = "data: one\n\ndata: two\n\nevent: last\ndata: three\n\n"
PLACES = st.lists(st.integers(min_value=0, max_value=len(STREAM) * 2), max_size=12).map(sorted)


@given(st.sampled_from(["\n", "\r\n"]), PLACES)
def test_pieces_end_where_events_end_however_the_bytes_are_cut(line_end: str, places: list[int]):
    whole = STREAM.replace("\n", line_end).encode()
    edges = [0, *places, len(whole)]
    cutter = WholeMessages(EVENTS)

    pieces = [piece for start, end in pairwise(edges) for piece in cutter.feed(whole[start:end])]

    assert b"".join(pieces) == STREAM.encode()
    assert all(piece.endswith(b"\n\n") for piece in pieces)
    assert cutter.end() == []


LINES_OF_JSON = '{"one":"\\n"}\n\n{"two":2}\n{"done":true}\n'


@given(st.sampled_from(["\n", "\r\n"]), PLACES)
def test_lines_are_cut_at_their_ends_however_the_bytes_are_cut(line_end: str, places: list[int]):
    whole = LINES_OF_JSON.replace("\n", line_end).encode()
    edges = [0, *places, len(whole)]
    cutter = WholeMessages(LINES)

    pieces = [piece for start, end in pairwise(edges) for piece in cutter.feed(whole[start:end])]

    assert b"".join(pieces) == LINES_OF_JSON.encode()
    assert all(piece.endswith(b"\n") for piece in pieces)


def test_only_the_name_at_the_start_of_a_line_is_the_models():
    passage = Passage(Dialect.OLLAMA_CHAT, {"model": 'an "alias"', "messages": []})
    language = language_for(Request("theirs", ()), passage, "Ollama")
    called = b'"tool_calls":[{"function":{"arguments":{"model":"theirs"}}}]'

    said = language.as_asked(b'{"model":"theirs","done":false}\n{"model":"theirs",%b}\n' % called)

    assert said == b'{"model":"an \\"alias\\"","done":false}\n{"model":"an \\"alias\\"",%b}\n' % called


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({}, {"max_tokens": 50}),
        ({"max_completion_tokens": 90}, {"max_completion_tokens": 50}),
        ({"max_completion_tokens": 6, "max_tokens": 900}, {"max_completion_tokens": 50, "max_tokens": 50}),
        ({"n_predict": 900}, {"max_tokens": 50}),
        ({"n_predict": -1, "max_tokens": 50}, {"max_tokens": 50}),
        ({"n_predict": 20}, {"n_predict": 20, "max_tokens": 50}),
    ],
)
def test_no_name_of_a_limit_gets_round_what_is_paid_for(said: Json, sent: Json):
    passage = Passage(Dialect.OPENAI_CHAT, {"model": "mine", "messages": [], **said})
    request = Request("theirs", (), streaming=False, max_output_tokens=50, passage=passage)

    document = passed_document(request, passage, "max_tokens")

    assert document == {"model": "theirs", "messages": [], **sent}
