"""OpenAI's own library against a running Parley, with providers of its language and of another."""

import json
from base64 import b64encode
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.v1.openai.any_request import PNG
from tests.v1.openai.conftest import ANOTHER_LANGUAGE, ECHO, OWN_LANGUAGE
from tests.v1.serving import Served

BOTH = pytest.mark.parametrize("model", [OWN_LANGUAGE, ANOTHER_LANGUAGE])
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]


class City(BaseModel):
    name: str
    inhabitants: int


def texts_of(stream: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


@BOTH
def test_it_chats(client: OpenAI, model: str) -> None:
    response = client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
    completion = response.parse()

    assert completion.choices[0].message.content == "You said: Hello there"
    assert completion.choices[0].finish_reason == "stop"
    assert response.headers["x-parley-model"] == model
    assert response.headers["x-parley-attempts"] == "1"
    assert completion._request_id
    assert completion.usage is not None
    assert completion.usage.total_tokens == 18


@BOTH
def test_it_streams_and_is_told_what_that_used(client: OpenAI, model: str) -> None:
    chunks = list(
        client.chat.completions.create(
            model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )

    assert texts_of(chunks).strip() == "You said: Hello there"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 18


@BOTH
def test_nobody_is_told_of_usage_who_did_not_ask(client: OpenAI, model: str) -> None:
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True))

    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


@BOTH
def test_it_calls_tools_and_hears_their_results(client: OpenAI, model: str) -> None:
    messages: list[Any] = [{"role": "user", "content": "weather in Rome"}]
    first = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER]).choices[0]
    assert first.message.tool_calls is not None
    (call,) = first.message.tool_calls

    messages += [first.message, {"role": "tool", "tool_call_id": call.id, "content": "Rain"}]
    second = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER]).choices[0]

    assert first.finish_reason == "tool_calls"
    assert json.loads(call.function.arguments) == {"city": "weather in Rome"}
    assert second.message.content == "You said: weather in Rome"


@BOTH
def test_calls_of_tools_come_in_pieces(client: OpenAI, model: str) -> None:
    with client.chat.completions.stream(
        model=model, messages=[{"role": "user", "content": "weather in Rome"}], tools=[WEATHER]
    ) as stream:
        completion = stream.get_final_completion()

    assert completion.choices[0].message.tool_calls is not None
    (call,) = completion.choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "weather",
        {"city": "weather in Rome"},
    )


@BOTH
def test_it_parses_what_fits_a_schema(client: OpenAI, model: str) -> None:
    completion = client.chat.completions.parse(
        model=model, messages=[{"role": "user", "content": "Rome 2800000"}], response_format=City
    )

    assert completion.choices[0].message.parsed == City(name="Rome 2800000", inhabitants=2_800_000)


@BOTH
def test_it_sends_images(client: OpenAI, model: str) -> None:
    picture = {"url": "data:image/png;base64," + b64encode(PNG).decode()}
    content: list[Any] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": picture},
    ]

    completion = client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}])

    assert completion.choices[0].message.content == "You said: What is this?"


@pytest.mark.parametrize(
    ("model", "expected"), [(OWN_LANGUAGE, " and so on"), (ANOTHER_LANGUAGE, "You said: Once upon")]
)
def test_it_completes_a_prompt(client: OpenAI, usual_client: OpenAI, model: str, expected: str) -> None:
    """Its provider goes on with it; where a model only chats, it is answered."""
    completion = client.completions.create(model=model, prompt="Once upon")
    stream = usual_client.completions.create(model=model, prompt="Once upon", stream=True)

    assert completion.choices[0].text == expected
    assert "".join(chunk.choices[0].text for chunk in stream).strip() == expected.strip()


def test_what_only_completions_can_say_is_passed_on(client: OpenAI) -> None:
    completion = client.completions.create(
        model=OWN_LANGUAGE, prompt="Once upon", echo=True, suffix="the end.", logprobs=2
    )
    with pytest.raises(openai.BadRequestError) as refusal:
        client.completions.create(model=ANOTHER_LANGUAGE, prompt="Once upon", echo=True)

    assert completion.choices[0].text == "Once upon and so on"
    assert refusal.value.param == "echo"


@pytest.mark.parametrize("model", [OWN_LANGUAGE, ECHO])
def test_it_embeds(client: OpenAI, usual_client: OpenAI, model: str) -> None:
    packed = usual_client.embeddings.create(model=model, input=["one", "three"])
    plain = client.embeddings.create(model=model, input="one", encoding_format="float")

    assert len(packed.data) == 2
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, rel=1e-6)
    assert packed.usage.prompt_tokens > 0


@BOTH
def test_it_asks_for_responses(client: OpenAI, model: str) -> None:
    response = client.responses.create(model=model, input="Hello there", instructions="Be kind.")

    assert response.output_text == "You said: Hello there"
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == 18


@BOTH
def test_responses_stream(client: OpenAI, model: str) -> None:
    with client.responses.stream(model=model, input="Hello there") as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()

    assert response.output_text.strip() == "You said: Hello there"
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"


@BOTH
def test_responses_call_tools_and_hear_their_results(client: OpenAI, model: str) -> None:
    tool: Any = {"type": "function", "strict": False, **WEATHER["function"]}
    items: list[Any] = [{"role": "user", "content": "weather in Rome"}]
    first = client.responses.create(model=model, input=items, tools=[tool])
    (call,) = first.output
    assert call.type == "function_call"

    items += [call, {"type": "function_call_output", "call_id": call.call_id, "output": "Rain"}]
    second = client.responses.create(model=model, input=items, tools=[tool])

    assert json.loads(call.arguments) == {"city": "weather in Rome"}
    assert second.output_text == "You said: weather in Rome"


@BOTH
def test_responses_fit_a_schema(client: OpenAI, model: str) -> None:
    response = client.responses.parse(model=model, input="Rome 2800000", text_format=City)

    assert response.output_parsed == City(name="Rome 2800000", inhabitants=2_800_000)


def test_it_asks_a_model_by_its_own_name(client: OpenAI) -> None:
    completion = client.chat.completions.create(model="echo-fast", messages=HELLO)

    assert completion.model == "echo-fast"
    assert completion.choices[0].message.content == "Hello there"


async def test_it_waits_for_nothing(served: Served) -> None:
    async with AsyncOpenAI(base_url=served.openai_url, api_key=served.key, max_retries=0) as client:
        stream = await client.chat.completions.create(model=ECHO, messages=HELLO, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        response = await client.responses.create(model=ECHO, input="Hello there")

    assert text.strip() == "Hello there"
    assert response.output_text.strip() == "Hello there"


def test_thoughts_reach_those_who_read_them(client: OpenAI) -> None:
    message = (
        client.chat.completions.create(model=ECHO, messages=[{"role": "user", "content": "/think Hello"}])
        .choices[0]
        .message
    )
    response = client.responses.create(model=ECHO, input="/think Hello")

    assert message.model_extra is not None
    assert message.model_extra["reasoning_content"].startswith("Somebody said something.")
    assert [item.type for item in response.output] == ["reasoning", "message"]


def test_a_wrong_key_is_the_callers(served: Served) -> None:
    stranger = OpenAI(base_url=served.openai_url, api_key="parley_wrong", max_retries=0)

    with pytest.raises(openai.AuthenticationError) as refusal:
        stranger.chat.completions.create(model=ECHO, messages=HELLO)

    assert refusal.value.code == "invalid_api_key"


def test_a_model_that_is_not_there_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refusal:
        client.chat.completions.create(model="cloud/unheard-of", messages=HELLO)

    assert (refusal.value.code, refusal.value.param) == ("model_not_found", "model")


def test_what_cannot_be_done_is_refused_by_name(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(model=ANOTHER_LANGUAGE, messages=HELLO, n=2)
    with pytest.raises(openai.BadRequestError) as unkept:
        client.responses.create(model=ECHO, input="Hi", previous_response_id="resp_1")

    assert refusal.value.param == "n"
    assert unkept.value.param == "previous_response_id"


def test_tools_that_openai_runs_are_refused_by_name(client: OpenAI) -> None:
    search: Any = {"type": "web_search"}

    with pytest.raises(openai.BadRequestError) as refusal:
        client.responses.create(model=ECHO, input="Hi", tools=[search])
    response = client.responses.create(
        model=ECHO, input="Hi", tools=[search], extra_headers={"x-parley-drop-unsupported": "true"}
    )

    assert refusal.value.param == "tools.0"
    assert response.output_text.strip() == "Hi"


def test_what_only_this_language_can_say_is_passed_on(client: OpenAI) -> None:
    completion = client.chat.completions.create(
        model=OWN_LANGUAGE, messages=HELLO, n=1, logprobs=True, extra_body={"min_p": 0.1}
    )

    assert completion.choices[0].message.content == "You said: Hello there"


def test_what_cannot_be_done_is_left_out_where_the_client_says_so(client: OpenAI) -> None:
    completion = client.chat.completions.create(
        model=ANOTHER_LANGUAGE,
        messages=HELLO,
        logprobs=True,
        extra_headers={"x-parley-drop-unsupported": "true"},
    )

    assert completion.choices[0].message.content == "You said: Hello there"


def test_a_stream_that_breaks_off_raises(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model=ECHO, messages=[{"role": "user", "content": "/break one two three four"}], stream=True
    )

    with pytest.raises(openai.APIError, match="broke off"):
        texts_of(stream)


def test_a_response_that_breaks_off_has_failed(client: OpenAI) -> None:
    stream = client.responses.create(model=ECHO, input="/break one two three four", stream=True)

    last = list(stream)[-1]

    assert last.type == "response.failed"
    assert last.response.error is not None
