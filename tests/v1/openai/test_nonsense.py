"""Whatever a client sends: it is understood, or refused in a sentence that begins with the place."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.v1.openai import embeddings
from app.v1.openai.chat import ChatCompletions
from app.v1.openai.completions import Completions
from app.v1.openai.responses import Responses
from app.v1.surface import Surface
from tests.v1.openai.streams import ANSWER
from tests.v1.test_nonsense import Read, refusal_of

Json = dict[str, Any]

NAMES = (
    "arguments call_id content data description dimensions effort encoding_format encrypted_content file_id format "
    "function function_call id image_url include input instructions json_schema logprobs max_completion_tokens "
    "max_output_tokens max_tokens messages metadata n name namespace output parallel_tool_calls parameters prompt "
    "reasoning reasoning_content reasoning_details reasoning_effort refusal response_format role schema seed signature stop "
    "store stream stream_options strict summary temperature text tool_call_id tool_calls tool_choice tools top_k "
    "top_p type url user"
).split()
WORDS = (
    "assistant auto custom custom_tool_call data:image/png;base64,iVBOR developer function function_call "
    "function_call_output grammar image_url input_image input_text item_reference json_object json_schema low message "
    "namespace output_text reasoning refusal required summary_text system text tool user"
).split()
TYPES = "function function_call function_call_output custom custom_tool_call message reasoning wizard".split()
ROLES = "assistant developer system tool user wizard".split()
LISTS = ("content", "include", "input", "messages", "reasoning_details", "summary", "tool_calls", "tools")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text()
)
objects = st.deferred(lambda: st.dictionaries(st.sampled_from(NAMES), documents, max_size=5))
documents = st.deferred(lambda: scalars | objects | st.lists(objects | scalars, max_size=3))
items = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES), "role": st.sampled_from(ROLES)},
    optional={
        name: st.lists(objects, max_size=2) | documents if name in LISTS else documents
        for name in NAMES
        if name not in ("type", "role")
    },
)
conversations = st.lists(items, min_size=1, max_size=3)
bodies = st.builds(
    lambda conversation, tools, nonsense: (
        {"model": "m", "messages": conversation, "input": conversation, "prompt": "Hi"} | tools | nonsense
    ),
    conversations,
    st.just({}) | st.fixed_dictionaries({"tools": conversations}),
    st.dictionaries(st.sampled_from(NAMES), documents, max_size=2),
)
"""Mostly sense: what is refused at once hides what comes after it."""


def answered(surface: Surface, without: str = "") -> Read:
    """Reads, and answers what could be read."""

    def read(body: Json) -> None:
        asked = surface.read({name: value for name, value in body.items() if name != without})
        assert surface.whole(asked, ANSWER)
        assert surface.writer(asked, ANSWER).end(ANSWER)

    read.__qualname__ = type(surface).__name__
    return read


@pytest.mark.parametrize(
    "read",
    [answered(ChatCompletions()), answered(Completions()), answered(Responses(), "prompt"), embeddings.read],
    ids=lambda read: read.__qualname__,
)
@settings(max_examples=25, deadline=None)
@given(body=bodies)
def test_nonsense_is_refused_in_a_sentence(read: Read, body: Json) -> None:
    refusal = refusal_of(read, body)

    if refusal is not None:
        assert refusal.parameter
        assert refusal.message.startswith(refusal.parameter)
