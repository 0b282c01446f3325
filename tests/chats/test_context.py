"""What a model is told: the newest turns that fit, never a cut one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chats.context import QuestionTooLong, assemble, room_for_turns
from app.providers.base import Role, Turn
from app.usage.estimates import tokens_in_turns

turns = st.lists(st.builds(Turn, st.just(Role.USER), st.text(max_size=400)), min_size=1, max_size=40)


@given(turns, st.text(max_size=200), st.integers(400, 5_000))
def test_the_newest_turns_are_kept_whole_and_in_order(said: list[Turn], prompt: str, window: int) -> None:
    try:
        context = assemble(prompt, said[::-1], window)
    except QuestionTooLong:
        system = [Turn(Role.SYSTEM, prompt)] if prompt.strip() else []
        assert tokens_in_turns([*system, said[-1]]) > room_for_turns(window)
        return

    told = [turn for turn in context.turns if turn.role is Role.USER]
    assert told == said[len(said) - len(told) :]
    assert context.left_out == len(said) - len(told)
    assert tokens_in_turns(context.turns) <= room_for_turns(window)


def test_what_does_not_fit_is_the_oldest() -> None:
    said = [Turn(Role.USER, f"turn {number} " + "word " * 100) for number in range(30)]

    context = assemble("Be brief.", said[::-1], 2_000)

    assert context.turns[0] == Turn(Role.SYSTEM, "Be brief.")
    assert context.turns[-1] == said[-1]
    assert 0 < context.left_out < 30


def test_a_question_that_is_too_long_says_by_how_much() -> None:
    with pytest.raises(QuestionTooLong, match=r"about [\d,]+ more than the model can read"):
        assemble("", [Turn(Role.USER, "word " * 10_000)], 4_096)
