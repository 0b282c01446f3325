import pytest

from app.providers.base import Image, ModelInfo, Request, Role, Tool, ToolCall, Turn
from app.providers.errors import BrokenOff, KeyRejected, NotTheProtocol, Overloaded, RequestRefused
from app.providers.events import Finished, FinishReason, Usage
from app.providers.openai_compatible import OpenAICompatible
from tests.providers.fake_server import FakeServer, transcript
from tests.providers.reading import endpoint, hear, question

WEATHER = Tool(
    "weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}}
)


@pytest.fixture
def provider(server: FakeServer) -> OpenAICompatible:
    return OpenAICompatible(endpoint(f"{server.url}/v1"))


async def test_an_answer_streams_with_its_cost_and_its_end(server: FakeServer, provider: OpenAICompatible):
    server.plays("compatible/answer")

    heard = await hear(provider.stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"
    assert heard.usage == Usage(input=19, output=10, cache_read=8)
    assert heard.reason is FinishReason.STOP


async def test_half_of_a_surrogate_pair_costs_no_more_than_itself(
    server: FakeServer, provider: OpenAICompatible
):
    answer = transcript("compatible/answer")
    server.plays(answer.but(body=answer.body.replace("世".encode(), rb"\ud83c")))

    heard = await hear(provider.stream(question()))

    assert heard.text == "Grüße, \ufffd界 🌍!"
    assert heard.reason is FinishReason.STOP


async def test_the_request_asks_for_usage_and_carries_the_key(server: FakeServer, provider: OpenAICompatible):
    server.plays("compatible/answer")

    await hear(provider.stream(question("Hi", temperature=0.2, max_output_tokens=50)))

    [request] = server.received
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-test-0123456789"
    assert request.headers["accept-encoding"] == "identity"
    assert request.json == {
        "model": "a-model",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 50,
        "temperature": 0.2,
    }


async def test_without_a_key_no_authorization_is_sent(server: FakeServer):
    server.plays("compatible/answer")

    await hear(OpenAICompatible(endpoint(f"{server.url}/v1", key=None)).stream(question()))

    assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("pasted", ["/v1", "/v1/", "/v1/chat/completions", "/v1/models"])
async def test_more_of_the_address_may_be_pasted_than_is_needed(server: FakeServer, pasted: str):
    server.plays("compatible/answer")

    await hear(OpenAICompatible(endpoint(server.url + pasted)).stream(question()))

    assert server.received[0].path == "/v1/chat/completions"


async def test_images_and_tools_go_out_in_the_vendors_words(server: FakeServer, provider: OpenAICompatible):
    server.plays("compatible/answer")
    turns = (
        Turn(Role.USER, "What is this?", images=(Image("image/png", b"\x89PNG"),)),
        Turn(Role.ASSISTANT, tool_calls=(ToolCall("call_a", "weather", '{"city": "Oslo"}'),)),
        Turn(Role.TOOL, "Rain", tool_call_id="call_a"),
    )

    await hear(provider.stream(Request("a-model", turns, tools=(WEATHER,))))

    sent = server.received[0].json
    assert sent["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                {"type": "text", "text": "What is this?"},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_a",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": "Rain"},
    ]
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells the weather.",
                "parameters": WEATHER.parameters,
            },
        }
    ]


@pytest.mark.parametrize(
    "story", ["reasoning_content", "reasoning", "reasoning_details", "think_inline", "parts"]
)
async def test_thoughts_are_kept_apart_whatever_they_are_called(
    server: FakeServer, provider: OpenAICompatible, story: str
):
    server.plays(f"compatible/{story}")

    heard = await hear(provider.stream(question()))

    assert heard.reasoning.strip() == "Two and two make four."
    assert heard.text == "It is 4."


@pytest.mark.parametrize("story", ["tool_calls", "tool_calls_without_index"])
async def test_tool_calls_are_put_together_from_their_pieces(
    server: FakeServer, provider: OpenAICompatible, story: str
):
    server.plays(f"compatible/{story}")

    heard = await hear(provider.stream(question()))

    assert heard.calls == [
        ToolCall("call_a", "weather", '{"city": "Köln"}'),
        ToolCall("call_b", "weather", '{"city": "Oslo"}'),
    ]
    assert heard.reason is FinishReason.TOOL_CALLS


async def test_one_call_at_a_time_is_kept_even_if_the_server_does_not_listen(
    server: FakeServer, provider: OpenAICompatible
):
    server.plays("compatible/tool_calls")

    heard = await hear(provider.stream(question(tools=(WEATHER,), parallel_tool_calls=False)))

    assert server.received[0].json["parallel_tool_calls"] is False
    assert [call.id for call in heard.calls] == ["call_a"]


async def test_which_stop_sequence_it_was_is_told_where_the_server_says_so(
    server: FakeServer, provider: OpenAICompatible
):
    server.plays("compatible/stopped")

    heard = await hear(provider.stream(question(stop=("three",))))

    assert heard.events[-1] == Finished(FinishReason.STOP, "three")


async def test_a_server_may_forget_to_say_done(server: FakeServer, provider: OpenAICompatible):
    server.plays("compatible/without_done")

    heard = await hear(provider.stream(question()))

    assert (heard.text, heard.reason) == ("Hello there.", FinishReason.LENGTH)


async def test_an_answer_without_an_end_was_broken_off(server: FakeServer, provider: OpenAICompatible):
    server.plays(transcript("compatible/without_done").without_end(b"data: "))

    with pytest.raises(BrokenOff, match="broke off before the answer was whole"):
        await hear(provider.stream(question()))
    assert len(server.received) == 1, "an answer that has begun is not asked for again"


async def test_an_error_inside_a_stream_is_an_error(server: FakeServer, provider: OpenAICompatible):
    server.plays("compatible/error_in_stream")

    with pytest.raises(Overloaded, match="Provider disconnected"):
        await hear(provider.stream(question()))


async def test_an_answer_may_come_whole(server: FakeServer, provider: OpenAICompatible):
    server.plays("compatible/whole")

    heard = await hear(provider.stream(question(streaming=False)))

    assert (heard.reasoning, heard.text, heard.reason) == ("Be kind.", "Grüße!", FinishReason.STOP)
    assert heard.usage == Usage(input=19, output=3)
    assert server.received[0].json["stream"] is False
    assert "stream_options" not in server.received[0].json


async def test_a_server_that_knows_no_stream_options_is_asked_without(
    server: FakeServer, provider: OpenAICompatible
):
    server.plays("compatible/refuses_stream_options", "compatible/answer")

    heard = await hear(provider.stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"
    assert "stream_options" not in server.received[1].json


async def test_a_refusal_that_cannot_be_repaired_is_told(server: FakeServer, provider: OpenAICompatible):
    server.plays("openai/refuses_temperature")

    with pytest.raises(RequestRefused):
        await hear(provider.stream(question()))
    assert len(server.received) == 1


async def test_a_refusal_that_breaks_off_is_told_by_its_status(
    server: FakeServer, provider: OpenAICompatible
):
    server.plays(transcript("openai/bad_key").but(breaks_at=10))

    with pytest.raises(KeyRejected):
        await hear(provider.stream(question()))


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("vllm", ModelInfo("mistralai/Mistral-Small-3.2-24B", context_window=32_768)),
        (
            "openrouter",
            ModelInfo(
                "qwen/qwen3-vl-235b",
                "Qwen: Qwen3 VL 235B",
                context_window=262_144,
                max_output_tokens=32_768,
                vision=True,
                tools=True,
                reasoning=True,
            ),
        ),
        (
            "together",
            ModelInfo("meta-llama/Llama-3.3-70B", "Llama 3.3 70B", context_window=131_072),
        ),
        ("llama_cpp", ModelInfo("gemma", context_window=131_072)),
        (
            "mistral",
            ModelInfo(
                "mistral-medium-latest",
                "mistral-medium-2508",
                context_window=131_072,
                vision=True,
                tools=True,
            ),
        ),
    ],
)
async def test_lists_of_models_tell_what_they_can(
    server: FakeServer, provider: OpenAICompatible, story: str, expected: ModelInfo
):
    server.plays_at("/v1/models", f"compatible/models_{story}")

    assert await provider.list_models() == [expected]


async def test_a_web_page_is_not_the_protocol(server: FakeServer, provider: OpenAICompatible):
    server.plays("compatible/html")

    with pytest.raises(NotTheProtocol, match="/v1"):
        await provider.list_models()
    with pytest.raises(NotTheProtocol, match="Check the kind and the address"):
        await hear(provider.stream(question()))
