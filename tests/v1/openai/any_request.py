"""Requests of every shape, for stories that hold for all of them."""

import string
from base64 import b64decode
from dataclasses import replace

from hypothesis import strategies as st

from app.providers.base import Image, JsonFormat, Request, Role, Thought, Tool, ToolCall, ToolUse, Turn

PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

words = st.text(min_size=1, max_size=30)
names = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=20)
images = st.builds(
    lambda media_type, rest: Image(media_type, SIGNATURES[media_type] + rest),
    st.sampled_from(["image/png", "image/jpeg", "image/gif", "image/webp"]),
    st.binary(max_size=20),
)
SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\x00\x00\x00\x00WEBP",
}
schemas = st.dictionaries(names, st.sampled_from(["string", "integer"]), max_size=3).map(
    lambda properties: {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
    }
)
tools = st.builds(Tool, names, st.text(max_size=20), schemas)
calls = st.builds(ToolCall, names, names, schemas.map(str))
signed = st.builds(Thought, words, names)
redacted = st.builds(Thought, st.just(""), st.just(""), names)
thoughts = st.one_of(signed, redacted)

plain_turns = st.one_of(
    st.builds(Turn, st.sampled_from([Role.SYSTEM, Role.USER]), words),
    st.builds(
        lambda before, image, after: Turn(Role.USER, parts=(before, image, after)), words, images, words
    ),
    st.builds(lambda text, call_id: Turn(Role.TOOL, text, tool_call_id=call_id), words, names),
)
answering_turns = st.builds(
    lambda text, made: Turn(Role.ASSISTANT, text, tool_calls=tuple(made)), words, st.lists(calls, max_size=2)
)
turns = st.lists(st.one_of(plain_turns, answering_turns), min_size=1, max_size=6).map(tuple)


def requests() -> st.SearchStrategy[Request]:
    """Everything that chat completions have a word for."""
    return st.builds(_with_tools, _requests_without_tools(), st.lists(tools, max_size=2), _choices)


_choices = st.one_of(st.none(), st.sampled_from(ToolUse), st.just("a name"))


def _requests_without_tools() -> st.SearchStrategy[Request]:
    maybe = st.none()
    return st.builds(
        Request,
        model=names,
        turns=turns,
        streaming=st.booleans(),
        max_output_tokens=maybe | st.integers(1, 10**6),
        temperature=maybe | st.floats(0, 2),
        reasoning_effort=maybe | st.sampled_from(["none", "low", "high"]),
        response_format=maybe | st.just(JsonFormat()) | st.builds(JsonFormat, schemas, names, st.booleans()),
        stop=st.lists(words, max_size=3).map(tuple),
        seed=maybe | st.integers(-(2**53), 2**53),
        top_p=maybe | st.floats(0, 1),
        frequency_penalty=maybe | st.floats(-2, 2),
        presence_penalty=maybe | st.floats(-2, 2),
    )


def _with_tools(request: Request, offered: list[Tool], choice: ToolUse | str | None) -> Request:
    if not offered:
        return request
    if isinstance(choice, ToolUse) or choice is None:
        return replace(request, tools=tuple(offered), tool_use=choice)
    return replace(request, tools=tuple(offered), tool_use=ToolUse.REQUIRED, tool_name=offered[0].name)
