"""Estimates stand in for counts that nobody reported."""

from app.providers.base import Image, Role, Thought, ToolCall, Turn
from app.usage.estimates import most_tokens_in, tokens_in, tokens_in_turns


def test_text_is_estimated_in_any_language() -> None:
    assert tokens_in("") == 0
    assert tokens_in("a") == 1
    assert 250 <= tokens_in("word " * 200) <= 320
    assert tokens_in("你好世界") > tokens_in("abcd")


def test_every_turn_and_tool_call_counts() -> None:
    turn = Turn(Role.USER, "hello")
    with_call = Turn(Role.ASSISTANT, "hello", tool_calls=(ToolCall("1", "search", '{"query": "parley"}'),))

    assert tokens_in_turns([turn, turn]) == 2 * tokens_in_turns([turn])
    assert tokens_in_turns([with_call]) > tokens_in_turns([turn])


def test_mixed_content_and_thoughts_count_too() -> None:
    image = Image("image/png", b"x")
    plain = Turn(Role.USER, "hello", images=(image,))
    mixed = Turn(Role.USER, parts=("hello", image))
    thoughtful = Turn(Role.ASSISTANT, "hello", thoughts=(Thought("Let me see", "c2lnbmF0dXJl"),))

    assert tokens_in_turns([mixed]) == tokens_in_turns([plain])
    assert most_tokens_in([mixed]) >= most_tokens_in([plain])
    assert most_tokens_in([thoughtful]) - most_tokens_in([Turn(Role.ASSISTANT, "hello")]) >= len(
        "Let me seec2lnbmF0dXJl"
    )
