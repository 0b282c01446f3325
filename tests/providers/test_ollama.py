import pytest

from app.providers.base import Image, ModelInfo, Request, Role, Tool, ToolCall, Turn
from app.providers.errors import BrokenOff, ContextTooLong, ModelGone, RequestRefused
from app.providers.events import FinishReason, Usage
from app.providers.ollama import Ollama
from app.providers.ollama_window import window_for
from tests.providers.fake_server import FakeServer, transcript
from tests.providers.reading import endpoint, hear, question


@pytest.fixture
def provider(server: FakeServer) -> Ollama:
    return Ollama(endpoint(server.url, key=None))


async def test_an_answer_streams_with_thoughts_and_cost(server: FakeServer, provider: Ollama):
    server.plays("ollama/answer")

    heard = await hear(provider.stream(question()))

    assert (heard.reasoning, heard.text) == ("They greet me.", "Grüße, 世界 🌍!")
    assert heard.usage == Usage(input=26, output=18)
    assert heard.reason is FinishReason.STOP


async def test_the_request_forbids_silent_cuts(server: FakeServer, provider: Ollama):
    server.plays("ollama/answer")

    await hear(provider.stream(question("Hi", temperature=0.2, max_output_tokens=50)))

    [request] = server.received
    assert request.path == "/api/chat"
    assert "authorization" not in request.headers
    assert request.json == {
        "model": "a-model",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "options": {"num_ctx": 8_192, "num_predict": 50, "temperature": 0.2},
        "truncate": False,
        "shift": False,
    }


async def test_a_key_is_sent_where_there_is_one(server: FakeServer):
    server.plays("ollama/answer")

    await hear(Ollama(endpoint(f"{server.url}/v1", key="a-key-of-a-proxy")).stream(question()))

    assert server.received[0].path == "/api/chat"
    assert server.received[0].headers["authorization"] == "Bearer a-key-of-a-proxy"


@pytest.mark.parametrize(
    ("characters", "own_window", "expected"),
    [
        (100, 131_072, 8_192),
        (100, 4_096, 4_096),
        (30_000, 131_072, 16_384),
        (200_000, 131_072, 131_072),
        (200_000, None, 131_072),
        (900_000, 131_072, 131_072),
    ],
)
def test_the_window_is_what_is_needed_in_steps(characters: int, own_window: int | None, expected: int):
    request = question("x" * characters, context_window=own_window)

    assert window_for(request) == expected


async def test_a_prompt_that_fills_the_window_was_cut(server: FakeServer, provider: Ollama):
    server.plays("ollama/cut_silently")

    with pytest.raises(ContextTooLong, match="cut the conversation to 8,192 tokens"):
        await hear(provider.stream(question()))


async def test_images_and_tools_go_out_in_its_own_words(server: FakeServer, provider: Ollama):
    server.plays("ollama/answer")
    turns = (
        Turn(Role.USER, "What is this?", images=(Image("image/png", b"\x89PNG"),)),
        Turn(Role.ASSISTANT, tool_calls=(ToolCall("call_a", "weather", '{"city": "Oslo"}'),)),
        Turn(Role.TOOL, "Rain", tool_call_id="call_a"),
    )
    tools = (Tool("weather", "Tells the weather.", {"type": "object"}),)

    await hear(provider.stream(Request("a-model", turns, tools=tools)))

    sent = server.received[0].json
    assert sent["messages"] == [
        {"role": "user", "content": "What is this?", "images": ["iVBORw=="]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call_a", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
        },
        {"role": "tool", "content": "Rain", "tool_call_id": "call_a", "tool_name": "weather"},
    ]
    assert sent["tools"][0]["function"]["name"] == "weather"


async def test_tool_calls_come_whole_with_or_without_ids(server: FakeServer, provider: Ollama):
    server.plays("ollama/tool_calls")

    heard = await hear(provider.stream(question()))

    assert heard.calls == [
        ToolCall("call_a", "weather", '{"city":"Köln"}'),
        ToolCall("call_1", "weather", '{"city":"Oslo"}'),
    ]
    assert heard.reason is FinishReason.TOOL_CALLS


async def test_calls_after_the_first_are_left_out_where_one_at_a_time_was_wanted(
    server: FakeServer, provider: Ollama
):
    server.plays("ollama/tool_calls")

    heard = await hear(provider.stream(question(parallel_tool_calls=False)))

    assert heard.calls == [ToolCall("call_a", "weather", '{"city":"Köln"}')]
    assert heard.reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [("qwen3:8b", "high", True), ("qwen3:8b", "none", False), ("gpt-oss:20b", "max", "high")],
)
async def test_thinking_is_a_switch_or_a_level(
    server: FakeServer, provider: Ollama, model: str, effort: str, expected: object
):
    server.plays("ollama/answer")

    await hear(provider.stream(question(model=model, reasoning_effort=effort)))

    assert server.received[0].json["think"] == expected


async def test_a_model_that_cannot_think_is_asked_without(server: FakeServer, provider: Ollama):
    server.plays("ollama/cannot_think", "ollama/answer")

    await hear(provider.stream(question(reasoning_effort="high", is_lenient=True)))

    assert "think" not in server.received[1].json


async def test_a_model_that_cannot_think_says_so_to_whoever_wants_thoughts(
    server: FakeServer, provider: Ollama
):
    server.plays("ollama/cannot_think")

    with pytest.raises(RequestRefused, match=r"x-parley-drop-unsupported") as raised:
        await hear(provider.stream(question(reasoning_effort="high")))
    assert raised.value.parameter == "reasoning_effort"


async def test_an_answer_may_come_whole(server: FakeServer, provider: Ollama):
    server.plays("ollama/whole")

    heard = await hear(provider.stream(question(streaming=False)))

    assert (heard.text, heard.usage, heard.reason) == ("Grüße!", Usage(26, 3), FinishReason.LENGTH)


async def test_an_error_line_in_mid_stream_is_an_error(server: FakeServer, provider: Ollama):
    server.plays("ollama/error_in_stream")

    with pytest.raises(BrokenOff, match="CUDA error"):
        await hear(provider.stream(question()))


async def test_lines_without_done_were_broken_off(server: FakeServer, provider: Ollama):
    server.plays(transcript("ollama/answer").without_end(b'{"model"'))

    with pytest.raises(BrokenOff):
        await hear(provider.stream(question()))


async def test_a_full_queue_is_waited_for(server: FakeServer, provider: Ollama):
    server.plays("ollama/queue_full", "ollama/answer")

    heard = await hear(provider.stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"


@pytest.mark.parametrize(("story", "error"), [("no_such_model", ModelGone), ("too_long", ContextTooLong)])
async def test_its_complaints_are_understood(
    server: FakeServer, provider: Ollama, story: str, error: type[Exception]
):
    server.plays(f"ollama/{story}")

    with pytest.raises(error):
        await hear(provider.stream(question()))


async def test_the_list_asks_for_details_only_where_they_are_missing(server: FakeServer, provider: Ollama):
    server.plays_at("/api/tags", "ollama/tags")
    server.plays_at("/api/show", "ollama/show")

    models = await provider.list_models()

    assert models == [
        ModelInfo(
            "qwen3:8b",
            context_window=40_960,
            vision=False,
            tools=True,
            reasoning=True,
            embeddings=False,
            family="qwen3",
            parameters="8.2B",
            quantization="Q4_K_M",
            size=5_225_388_164,
        ),
        ModelInfo(
            "gemma3:4b",
            context_window=131_072,
            vision=True,
            tools=False,
            reasoning=False,
            embeddings=False,
            family="gemma3",
            parameters="4.3B",
            quantization="Q4_K_M",
            size=3_338_801_804,
        ),
    ]
    assert [request.json for request in server.received[1:]] == [{"model": "qwen3:8b"}]


async def test_one_broken_model_does_not_hide_the_others(server: FakeServer, provider: Ollama):
    server.plays_at("/api/tags", "ollama/tags")
    server.plays_at("/api/show", "ollama/no_such_model")

    models = await provider.list_models()

    assert [model.name for model in models] == ["qwen3:8b", "gemma3:4b"]
    assert models[0].context_window is None
    assert models[0].family == "qwen3"
