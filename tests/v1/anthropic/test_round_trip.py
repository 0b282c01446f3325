"""A conversation in Anthropic's words, read and said again to Anthropic, keeps every block and signature."""

from base64 import b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.providers.anthropic_turns import conversation, instructions
from app.v1.anthropic.reading import asked_in

Block = dict[str, Any]

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text.strip() == text
)
ids = st.text("abcdef0123456789", min_size=4, max_size=8).map("toolu_{}".format)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words
arguments = st.dictionaries(words, scalars | st.lists(scalars, max_size=3), max_size=3)
signatures = st.binary(min_size=1, max_size=12).map(lambda data: b64encode(data).decode())

texts = words.map(lambda text: {"type": "text", "text": text})
images = st.binary(max_size=12).map(
    lambda data: {
        "type": "image",
        "source": {
            "type": "base64",
            "media_type": "image/png",
            "data": b64encode(b"\x89PNG\r\n\x1a\n" + data).decode(),
        },
    }
)
thoughts = st.builds(
    lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature},
    st.just("") | words,
    signatures,
) | signatures.map(lambda data: {"type": "redacted_thinking", "data": data})
calls = st.builds(
    lambda call_id, name, given: {"type": "tool_use", "id": call_id, "name": name, "input": given},
    ids,
    words,
    arguments,
)


@st.composite
def results(draw: st.DrawFn) -> Block:
    mixed = st.lists(texts | images, min_size=1, max_size=3).filter(
        lambda blocks: len(blocks) > 1 or blocks[0]["type"] == "image"
    )
    result = {"type": "tool_result", "tool_use_id": draw(ids), "content": draw(words | mixed)}
    return result | ({"is_error": True} if draw(st.booleans()) else {})


@st.composite
def spoken(draw: st.DrawFn) -> list[Block]:
    """What an assistant says: thoughts, then words, then calls; and perhaps all of it once more."""
    again = draw(st.integers(1, 3))
    content: list[Block] = []
    for _ in range(again):
        content += draw(st.lists(thoughts, min_size=1, max_size=2)) + draw(st.lists(texts, max_size=2))
    return content + draw(st.lists(calls, max_size=2))


@st.composite
def messages(draw: st.DrawFn) -> list[Block]:
    told: list[Block] = [{"role": "user", "content": draw(st.lists(texts | images, min_size=1, max_size=3))}]
    for _ in range(draw(st.integers(0, 3))):
        told.append({"role": "assistant", "content": draw(spoken())})
        answers = draw(st.lists(results(), max_size=2)) + draw(st.lists(texts | images, max_size=2))
        told.append({"role": "user", "content": answers or [{"type": "text", "text": "Go on."}]})
    return told


@given(messages())
def test_every_block_survives(told: list[Block]) -> None:
    asked = asked_in({"model": "claude", "max_tokens": 9, "messages": told})

    assert conversation(asked.request.turns) == told
    assert asked.beyond == ()


@given(st.lists(words, min_size=1, max_size=3))
def test_instructions_survive(told: list[str]) -> None:
    system = [{"type": "text", "text": text} for text in told]
    question = [{"role": "user", "content": "Hello"}]

    asked = asked_in({"model": "claude", "max_tokens": 9, "messages": question, "system": system})

    assert instructions(asked.request.turns) == "\n\n".join(told)
