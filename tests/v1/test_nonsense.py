"""Whatever a program sends: it is understood, or refused in a sentence. Nothing else happens."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.v1.anthropic.reading import asked_in, counted_in
from app.v1.ollama.reading import chat_in, embedding_in, generation_in, old_embedding_in
from app.v1.surface import BadRequest

Json = dict[str, Any]
Read = Callable[[Json], object]

NAMES = (
    "model messages role content type text source data media_type tools name input_schema function arguments "
    "tool_calls tool_use_id tool_call_id tool_name input prompt system images options stop temperature max_tokens "
    "thinking budget_tokens output_config format schema tool_choice stream id signature think"
).split()
WORDS = (
    "user assistant system tool text image document tool_use tool_result thinking redacted_thinking base64 auto any "
    "enabled adaptive json json_schema m"
).split()

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text()
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=8,
)
blocks = st.dictionaries(st.sampled_from(NAMES), documents, max_size=5)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"])},
    optional={
        "content": documents | st.lists(blocks, max_size=3),
        "tool_calls": documents,
        "tool_name": documents,
    },
)
bodies = st.fixed_dictionaries(
    {"model": st.just("m") | documents},
    optional={"messages": st.lists(messages, max_size=3) | documents, "max_tokens": st.just(9) | documents}
    | {name: documents for name in NAMES if name not in ("model", "messages", "max_tokens")},
)


@pytest.mark.parametrize(
    "read",
    [asked_in, counted_in, chat_in, generation_in, embedding_in, old_embedding_in],
    ids=lambda read: read.__name__,
)
@settings(max_examples=25, deadline=None)
@given(body=bodies)
def test_nonsense_is_refused_in_a_sentence(read: Read, body: Json) -> None:
    refusal = refusal_of(read, body)

    if refusal is not None:
        assert refusal.parameter
        assert refusal.message.startswith(refusal.parameter)


def refusal_of(read: Read, body: Json) -> BadRequest | None:
    try:
        read(body)
    except BadRequest as refusal:
        return refusal
    return None
