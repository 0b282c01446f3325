"""Conversations as hypothesis makes them up: turns, tool calls that are answered, images, signed thoughts."""

from hypothesis import strategies as some

from app.providers.base import Image, Role, Thought, ToolCall, Turn

WORDS = some.text(min_size=1, max_size=20).filter(lambda text: text.strip() == text)
NAMES = some.from_regex(r"[a-z_]{1,12}", fullmatch=True)
IMAGES = some.builds(
    Image, some.sampled_from(["image/png", "image/jpeg"]), some.binary(min_size=1, max_size=8)
)
PARTS = some.lists(WORDS | IMAGES, min_size=1, max_size=4).map(tuple)
ARGUMENTS = some.sampled_from(["{}", '{"city":"Köln"}', '{"a":[1,2.5,null],"b":{"c":true}}'])
SIGNED = some.builds(Thought, text=some.text(max_size=10), signature=WORDS)
REDACTED = some.builds(Thought, redacted=WORDS)
THOUGHTS = some.lists(SIGNED | REDACTED, max_size=2).map(tuple)


@some.composite
def exchanges(draw: some.DrawFn) -> list[Turn]:
    """What a user says, and what the assistant answers; between them perhaps calls and their results."""
    turns = [Turn(Role.USER, parts=draw(PARTS))]
    names = draw(some.lists(NAMES, max_size=2))
    if names:
        number = draw(some.integers(0, 10**9))
        calls = tuple(
            ToolCall(f"call_{number}_{place}", name, draw(ARGUMENTS)) for place, name in enumerate(names)
        )
        turns.append(
            Turn(Role.ASSISTANT, draw(WORDS | some.just("")), tool_calls=calls, thoughts=draw(THOUGHTS))
        )
        turns += [
            Turn(Role.TOOL, parts=draw(PARTS), tool_call_id=call.id, is_error=draw(some.booleans()))
            for call in calls
        ]
    return [*turns, Turn(Role.ASSISTANT, draw(WORDS), thoughts=draw(THOUGHTS))]


CONVERSATIONS = some.lists(exchanges(), min_size=1, max_size=3).map(
    lambda all_of_them: tuple(turn for exchange in all_of_them for turn in exchange)
)
