"""Long texts are read beside the rest of a document, and nothing of it is changed."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.v1.large_documents import LONG, loads

IMAGE = "data:image/png;base64," + "iVBORw0KGgo/+" * (LONG // 10)
TEXT = "Sie sagte: „Grüße“.\n" * (LONG // 10)
LONG_TEXTS = st.sampled_from(
    [IMAGE, TEXT, "A" * LONG, "A" * (LONG + 1), 'A"' + "A" * LONG, "\\" + "A" * LONG]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5) | LONG_TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | LONG_TEXTS, inner, max_size=3)
    ),
    max_leaves=5,
)


@given(VALUES, st.booleans())
def test_a_document_is_read_as_it_was_written(document: object, is_ascii: bool) -> None:
    assert loads(json.dumps(document, ensure_ascii=is_ascii).encode()) == document


@pytest.mark.parametrize(
    "body",
    [
        '{"a": "%s}',
        '{"a": %s, "b": 1}',
        '{"a" %s "b"}',
        '{"a": "%s\n"}',
        '{"a": "%s" "b"}',
    ],
)
def test_what_is_no_json_is_refused(body: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        loads((body % ("A" * 2 * LONG)).encode())


def test_many_digits_are_a_number_still() -> None:
    body = b'{"a":0.' + b"1" * 2 * LONG + b',"b":1}'

    assert loads(body) == orjson.loads(body)
