"""Responses of OpenAI's own models: passed on as they came, kept nowhere, and read by OpenAI's own library."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tests.cast import Visitor
from tests.providers.fake_server import FakeServer, transcript
from tests.v1.clients import RESPONSES
from tests.v1.conftest import Connect, OnlyEntry
from tests.v1.vendors import COMPATIBLE, RESPONDING

MODEL = "openai/gpt-5"
SIZES = pytest.mark.parametrize("chunk_size", [None, 1, 37], ids=["at once", "byte by byte", "in pieces"])
THOUGHT: dict[str, Any] = {"type": "reasoning", "id": "rs_68a2", "summary": []}
SEALED = THOUGHT | {"encrypted_content": "gAAAAABo"}


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer) -> None:
    await connect("openai", "openai", "gpt-5", "gpt-4o", base_url=f"{vendor.url}/v1")


@pytest.fixture
async def library(address: str, key: str) -> AsyncIterator[AsyncOpenAI]:
    """It believes nothing that does not have OpenAI's shape to the letter."""
    async with AsyncOpenAI(
        base_url=f"{address}/v1", api_key=key, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


async def ask(
    visitor: Visitor, key: str, headers: dict[str, str] | None = None, **more: object
) -> httpx.Response:
    body = RESPONSES.asking(MODEL) | more
    return await visitor.post(RESPONSES.path, json=body, headers={"x-api-key": key, **(headers or {})})


@SIZES
async def test_a_stream_comes_byte_for_byte(
    client: Visitor, key: str, vendor: FakeServer, chunk_size: int | None, only_entry: OnlyEntry
) -> None:
    RESPONDING.plays(vendor, RESPONDING.answer.but(chunk_size=chunk_size))

    response = await ask(client, key, stream=True)

    assert response.content == RESPONDING.answer.body
    entry = await only_entry()
    assert (entry.input_tokens, entry.cache_read_tokens) == (36, 8)
    assert (entry.output_tokens, entry.reasoning_tokens) == (87, 64)
    assert (entry.outcome, entry.is_estimate) == ("finished", False)


async def test_a_whole_answer_is_openais(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    RESPONDING.plays(vendor, RESPONDING.whole)

    response = await ask(client, key)

    assert response.content == RESPONDING.whole.body.strip()
    entry = await only_entry()
    assert (entry.input_tokens, entry.output_tokens, entry.is_estimate) == (36, 87, False)


async def test_openais_library_reads_what_comes(vendor: FakeServer, library: AsyncOpenAI) -> None:
    RESPONDING.plays(vendor, RESPONDING.answer, RESPONDING.whole)

    async with library.responses.stream(model=MODEL, input="Hello") as stream:
        kinds = [event.type async for event in stream]
        streamed = await stream.get_final_response()
    whole = await library.responses.create(model=MODEL, input="Hello")

    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert (streamed.output_text, whole.output_text) == ("Grüße, 世界 🌍!", "Grüße!")


async def test_nothing_is_kept_and_thoughts_come_sealed(
    client: Visitor, key: str, vendor: FakeServer
) -> None:
    RESPONDING.plays(vendor, RESPONDING.whole)

    await ask(client, key, store=True, service_tier="priority")
    await ask(client, key, model="openai/gpt-4o", max_output_tokens=50)

    thinking, plain = (received.json for received in vendor.received)
    assert thinking == {
        "model": "gpt-5",
        "input": "Hello",
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert plain == {"model": "gpt-4o", "input": "Hello", "store": False, "max_output_tokens": 50}


async def test_only_its_own_thoughts_go_back_to_openai(client: Visitor, key: str, vendor: FakeServer) -> None:
    """Those of other models' are told apart by their seals; without one, OpenAI would look for what it did not keep."""
    RESPONDING.plays(vendor, RESPONDING.whole)
    ours = THOUGHT | {"encrypted_content": "parley-signed:x"}
    question = {"role": "user", "content": "Hello"}

    await ask(client, key, input=[question, SEALED, ours, THOUGHT])

    assert vendor.received[0].json["input"] == [question, SEALED]


async def test_what_only_openai_knows_reaches_it(client: Visitor, key: str, vendor: FakeServer) -> None:
    RESPONDING.plays(vendor, RESPONDING.whole)
    own = {
        "text": {"verbosity": "low"},
        "truncation": "auto",
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
        "tools": [{"type": "custom", "name": "patch", "description": "Patches."}],
    }

    response = await ask(client, key, model="openai/gpt-4o", **own)

    assert response.status_code == 200, response.text
    assert {name: vendor.received[0].json[name] for name in own} == own


async def test_an_answer_that_is_too_long_comes_as_far_as_it_goes(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    RESPONDING.plays(vendor, "openai_responses/incomplete")

    response = await ask(client, key, stream=True)

    assert response.content == transcript("openai_responses/incomplete").body
    entry = await only_entry()
    assert (entry.outcome, entry.output_tokens) == ("finished", 87)


@pytest.mark.parametrize("story", ["error_in_stream", "error_event"])
async def test_what_broke_off_ends_as_the_same_response_that_failed(
    vendor: FakeServer, library: AsyncOpenAI, story: str, only_entry: OnlyEntry
) -> None:
    recorded = transcript(f"openai_responses/{story}")
    RESPONDING.plays(vendor, recorded.but(pauses_at=recorded.body.rindex(b"event: ")))

    stream = await library.responses.create(model=MODEL, input="Hello", stream=True)
    events = [event async for event in stream]

    last: Any = events[-1]
    assert (last.type, last.response.status, last.response.id) == ("response.failed", "failed", "resp_68a1")
    assert last.response.error.code == "server_error"
    assert [event.type for event in events].count("response.created") == 1
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    entry = await only_entry()
    assert entry.outcome == "failed"
    # What it had used, where it says so.
    assert (entry.output_tokens == 87) is (story == "error_in_stream")


async def test_what_fails_before_the_first_word_has_a_status_of_its_own(
    client: Visitor, key: str, vendor: FakeServer
) -> None:
    failed = transcript("openai_responses/failed_at_once")
    failed = failed.but(pauses_at=failed.body.index(b"event: response.failed"))
    RESPONDING.plays(vendor, failed)

    response = await ask(client, key, stream=True)

    assert response.status_code == 429
    assert RESPONSES.complaint(response.json())[0] == "rate_limit_exceeded"


@pytest.mark.parametrize("tool", [{"type": "web_search"}, {"type": "mcp", "server_url": "https://a.example"}])
async def test_tools_that_openai_runs_are_refused_or_left_out(
    client: Visitor, key: str, vendor: FakeServer, tool: dict[str, str]
) -> None:
    RESPONDING.plays(vendor, RESPONDING.whole)
    kept = {"type": "function", "name": "clock", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "namespace", "name": "mine", "tools": [tool, kept]}, tool, kept]

    refused = await ask(client, key, tools=tools)
    served = await ask(client, key, {"x-parley-drop-unsupported": "true"}, tools=tools)

    assert refused.status_code == 400
    assert "tools.0" in refused.json()["error"]["message"]
    assert served.status_code == 200
    [received] = vendor.received
    assert received.json["tools"] == [{"type": "namespace", "name": "mine", "tools": [kept]}, kept]


@pytest.mark.parametrize("lenient", [True, False])
async def test_what_a_model_refuses_is_left_out_where_that_is_allowed(
    client: Visitor, key: str, vendor: FakeServer, lenient: bool
) -> None:
    RESPONDING.plays(vendor, "openai/refuses_temperature", RESPONDING.whole)

    response = await ask(
        client, key, {"x-parley-drop-unsupported": "true" if lenient else "false"}, temperature=0.5
    )

    assert response.status_code == (200 if lenient else 400)
    assert [received.json.get("temperature") for received in vendor.received] == [0.5, None][: 1 + lenient]


async def test_a_server_without_this_door_is_asked_for_a_chat(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    """An address of somebody else's, say; after the first time it is not tried any more."""
    COMPATIBLE.plays(vendor, COMPATIBLE.whole)

    response = await ask(client, key)
    again = await ask(client, key)

    assert response.json()["output"][-1]["content"][0]["text"] == "Grüße!"
    assert again.status_code == 200
    assert [received.path for received in vendor.received] == [
        RESPONDING.path,
        COMPATIBLE.path,
        COMPATIBLE.path,
    ]


async def test_what_a_chat_cannot_say_is_not_lost_on_the_way(
    client: Visitor, key: str, vendor: FakeServer
) -> None:
    COMPATIBLE.plays(vendor, COMPATIBLE.whole)

    response = await ask(client, key, truncation="auto")

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "truncation"
    assert [received.path for received in vendor.received] == [RESPONDING.path]


async def test_a_key_that_openai_rejects_is_not_the_callers(vendor: FakeServer, library: AsyncOpenAI) -> None:
    RESPONDING.plays(vendor, "openai/bad_key")

    with pytest.raises(openai.APIStatusError) as refusal:
        await library.responses.create(model=MODEL, input="Hello")

    assert refusal.value.status_code == 502


async def test_nonsense_at_the_beginning_still_ends_as_a_response_that_failed(
    client: Visitor, key: str, vendor: FakeServer
) -> None:
    nonsense = b'data: {"type":"response.output_text.delta", nonsense}\n\n'
    RESPONDING.plays(vendor, RESPONDING.answer.but(body=nonsense, pauses_at=20))

    response = await ask(client, key, stream=True)

    assert RESPONSES.error_at_the_end_of(response.text)[0] == "server_error"
