"""Where client and provider speak one language: the provider's own bytes, and nothing of ours among them."""

import httpx
import pytest

from app.accounts.audit import COMMAND_LINE, Act
from app.catalog import aliases
from app.catalog.aliases import Share, WantedAlias
from app.core.database import Database
from tests.cast import Visitor
from tests.providers.fake_server import Answer, FakeServer
from tests.v1.clients import ANTHROPIC, COMPLETIONS, GENERATION, OLLAMA, OPENAI, RESPONSES, Client
from tests.v1.conftest import Connect, Entries, OnlyEntry
from tests.v1.vendors import CLAUDE, COMPATIBLE, CONTINUING, LLAMA, PROMPTED_LLAMA, RESPONDING, Vendor

USAGE_CHUNK = b'"choices":[],"usage":'
OLLAMAS = pytest.mark.parametrize(
    ("surface", "upstream"), [(OLLAMA, LLAMA), (GENERATION, PROMPTED_LLAMA)], ids=["chat", "generation"]
)
SIZES = pytest.mark.parametrize("chunk_size", [None, 1, 37], ids=["at once", "byte by byte", "in pieces"])


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer) -> None:
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(CLAUDE.kind, CLAUDE.kind, "m", base_url=vendor.url)
    await connect(LLAMA.kind, LLAMA.kind, "m", base_url=vendor.url)


async def streams(
    visitor: Visitor, key: str, client: Client, upstream: Vendor, **more: object
) -> httpx.Response:
    body = client.asking(upstream.model, streaming=True, **more)
    return await visitor.post(client.path, json=body, headers={"x-api-key": key})


def without_usage(body: bytes) -> bytes:
    events = body.split(b"\n\n")
    return b"\n\n".join(event for event in events if USAGE_CHUNK not in event)


@SIZES
async def test_who_asks_for_usage_gets_every_byte(
    client: Visitor, key: str, vendor: FakeServer, chunk_size: int | None, only_entry: OnlyEntry
) -> None:
    COMPATIBLE.plays(vendor, COMPATIBLE.answer.but(chunk_size=chunk_size))

    response = await streams(client, key, OPENAI, COMPATIBLE, stream_options={"include_usage": True})

    assert _told(response) == _told_in(COMPATIBLE.answer.body)
    assert USAGE_CHUNK in response.content
    counted = await only_entry()
    assert (counted.input_tokens, counted.output_tokens, counted.is_estimate) == (19, 10, False)


@SIZES
async def test_who_does_not_ask_for_usage_gets_all_but_that(
    client: Visitor, key: str, vendor: FakeServer, chunk_size: int | None, only_entry: OnlyEntry
) -> None:
    COMPATIBLE.plays(vendor, COMPATIBLE.answer.but(chunk_size=chunk_size))

    response = await streams(client, key, OPENAI, COMPATIBLE)

    assert _told(response) == _told_in(without_usage(COMPATIBLE.answer.body))
    [received] = vendor.received
    assert received.json["stream_options"] == {"include_usage": True}
    counted = await only_entry()
    assert (counted.input_tokens, counted.output_tokens, counted.is_estimate) == (19, 10, False)


@SIZES
@pytest.mark.parametrize("wants_usage", [True, False])
async def test_a_prompt_is_continued_in_the_providers_own_words(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    chunk_size: int | None,
    wants_usage: bool,
    only_entry: OnlyEntry,
) -> None:
    CONTINUING.plays(vendor, CONTINUING.answer.but(chunk_size=chunk_size))
    own = {"suffix": "!", "echo": True, "logprobs": 1}

    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    response = await streams(client, key, COMPLETIONS, CONTINUING, **own, **options)

    expected = CONTINUING.answer.body if wants_usage else without_usage(CONTINUING.answer.body)
    assert _told(response) == _told_in(expected)
    [received] = vendor.received
    assert (received.path, received.json["prompt"]) == ("/v1/completions", "Hello")
    assert {name: received.json[name] for name in own} == own
    counted = await only_entry()
    assert (counted.input_tokens, counted.output_tokens, counted.is_estimate) == (19, 10, False)


@pytest.mark.parametrize(
    ("surface", "upstream"), [(OPENAI, COMPATIBLE), (COMPLETIONS, CONTINUING)], ids=["chat", "completion"]
)
async def test_of_several_answers_none_may_be_missing_its_end(
    client: Visitor, key: str, vendor: FakeServer, surface: Client, upstream: Vendor
) -> None:
    """The first has ended when the connection breaks; a server that gives one alone says that this was all."""
    one = upstream.answer
    first_ended = one.body.index(upstream.last_words)
    cut = one.body[: one.body.index(b"\n\n", first_ended) + 2]
    upstream.plays(vendor, one.but(body=cut, pauses_at=first_ended), one, upstream.whole)

    broken = await streams(client, key, surface, upstream, n=2)
    ended = await streams(client, key, surface, upstream, n=2)
    at_once = await client.post(
        surface.path, json=surface.asking(upstream.model, n=2), headers={"x-api-key": key}
    )

    assert surface.end not in broken.text
    assert "broke off" in surface.error_at_the_end_of(broken.text)[1]
    assert surface.end in ended.text
    assert at_once.status_code == 200


async def test_where_a_model_only_chats_a_prompt_is_its_question(
    client: Visitor, key: str, vendor: FakeServer
) -> None:
    no_completions = Answer(
        404,
        {"content-type": "application/json"},
        b'{"error":{"message":"This is a chat model and not supported in the v1/completions endpoint. '
        b'Did you mean to use v1/chat/completions?","type":"invalid_request_error"}}',
    )
    vendor.plays_at("/v1/completions", no_completions)
    COMPATIBLE.plays(vendor, COMPATIBLE.whole)
    body = COMPLETIONS.asking(COMPATIBLE.model)

    response = await client.post(COMPLETIONS.path, json=body, headers={"x-api-key": key})

    assert response.json()["choices"][0]["text"] == "Grüße!"


@SIZES
async def test_anthropics_clients_get_every_byte(
    client: Visitor, key: str, vendor: FakeServer, chunk_size: int | None, only_entry: OnlyEntry
) -> None:
    CLAUDE.plays(vendor, CLAUDE.answer.but(chunk_size=chunk_size))

    response = await streams(client, key, ANTHROPIC, CLAUDE)

    assert _told(response) == _told_in(CLAUDE.answer.body)
    assert response.text.count("event: message_start") == 1
    counted = await only_entry()
    assert (counted.input_tokens, counted.output_tokens, counted.is_estimate) == (420, 25, False)


@SIZES
@pytest.mark.parametrize("surface", [ANTHROPIC, OPENAI], ids=["passed on", "translated"])
async def test_half_a_character_costs_no_more_than_itself(
    client: Visitor, key: str, vendor: FakeServer, chunk_size: int | None, surface: Client
) -> None:
    """A model that writes byte by byte was cut inside of one; many client libraries fail at such a byte."""
    half = CLAUDE.answer.body.replace("世".encode(), "世".encode()[:2])
    CLAUDE.plays(vendor, CLAUDE.answer.but(body=half, chunk_size=chunk_size))

    response = await streams(client, key, surface, CLAUDE)

    assert "\N{REPLACEMENT CHARACTER}界" in response.content.decode()
    assert surface.end in response.text


@pytest.mark.parametrize("surface", [ANTHROPIC, OPENAI], ids=["passed on", "translated"])
async def test_half_a_character_in_a_whole_answer_neither(
    client: Visitor, key: str, vendor: FakeServer, surface: Client
) -> None:
    half = CLAUDE.whole.body.replace("ü".encode(), "ü".encode()[:1])
    CLAUDE.plays(vendor, CLAUDE.whole.but(body=half))

    body = surface.asking(CLAUDE.model)
    response = await client.post(surface.path, json=body, headers={"x-api-key": key})

    assert "Gr\N{REPLACEMENT CHARACTER}ße!" in response.text


@SIZES
@OLLAMAS
async def test_ollamas_clients_get_every_line_under_the_name_they_asked_by(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    chunk_size: int | None,
    surface: Client,
    upstream: Vendor,
    only_entry: OnlyEntry,
) -> None:
    upstream.plays(vendor, upstream.answer.but(chunk_size=chunk_size))

    response = await streams(client, key, surface, upstream)

    assert response.content == renamed(upstream.answer.body)
    assert response.headers["content-type"] == "application/x-ndjson"
    counted = await only_entry()
    assert (counted.input_tokens, counted.output_tokens, counted.is_estimate) == (26, 18, False)
    [asked] = vendor.received
    assert (asked.path, asked.json["model"], asked.json["options"]) == (
        upstream.path,
        "m",
        {"num_ctx": 8_192},
    )


@OLLAMAS
async def test_a_whole_answer_of_ollamas_is_the_providers(
    client: Visitor, key: str, vendor: FakeServer, surface: Client, upstream: Vendor
) -> None:
    upstream.plays(vendor, upstream.whole)

    body = surface.asking(upstream.model)
    response = await client.post(surface.path, json=body, headers={"x-api-key": key})

    assert response.content == renamed(upstream.whole.body).strip()


@OLLAMAS
async def test_what_ollama_cut_is_no_answer(
    client: Visitor, key: str, vendor: FakeServer, surface: Client, upstream: Vendor, only_entry: OnlyEntry
) -> None:
    """It read as much as its window holds, and dropped the rest without a word."""
    answer = upstream.answer
    full = answer.body.replace(b'"prompt_eval_count":26', b'"prompt_eval_count":8192')
    upstream.plays(vendor, answer.but(body=full, pauses_at=answer.body.index(upstream.middle)))

    response = await streams(client, key, surface, upstream)

    assert "cut the conversation" in surface.error_at_the_end_of(response.text)[1]
    assert surface.end not in response.text
    assert (await only_entry()).outcome == "failed"


async def test_what_only_ollama_knows_reaches_it(client: Visitor, key: str, vendor: FakeServer) -> None:
    PROMPTED_LLAMA.plays(vendor, PROMPTED_LLAMA.whole)
    own = {"raw": True, "suffix": "}", "template": "{{ .Prompt }}", "context": [1] * 9_000, "logprobs": True}

    body = GENERATION.asking(PROMPTED_LLAMA.model, "def f() {", **own)
    response = await client.post(GENERATION.path, json=body, headers={"x-api-key": key})

    assert response.status_code == 200
    told = vendor.received[0].json
    assert {name: told[name] for name in own} == own
    assert told["options"] == {"num_ctx": 16_384}


@pytest.mark.parametrize("lenient", [True, False])
async def test_a_model_that_cannot_think_is_asked_without_where_that_is_allowed(
    client: Visitor, key: str, vendor: FakeServer, lenient: bool
) -> None:
    LLAMA.plays(vendor, "ollama/cannot_think", LLAMA.whole)

    response = await client.post(
        OLLAMA.path,
        json=OLLAMA.asking(LLAMA.model, think=True),
        headers={"x-api-key": key, "x-parley-drop-unsupported": "true" if lenient else "false"},
    )

    assert response.status_code == (200 if lenient else 400)
    assert [request.json.get("think") for request in vendor.received] == [True, None][: 1 + lenient]


async def test_a_whole_answer_is_the_providers(client: Visitor, key: str, vendor: FakeServer) -> None:
    for surface, upstream in ((OPENAI, COMPATIBLE), (ANTHROPIC, CLAUDE)):
        upstream.plays(vendor, upstream.whole)
        body = surface.asking(upstream.model)

        response = await client.post(surface.path, json=body, headers={"x-api-key": key})

        assert response.content == upstream.whole.body.strip()


async def test_a_provider_that_fills_in_zeros_has_counted_nothing(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    one, usage = COMPATIBLE.answer, b'"prompt_tokens":19,"completion_tokens":10,"total_tokens":29'
    word = one.body[one.body.index(b"data: {", 5) : one.body.index(b": keep-alive")]
    zeros = b'"prompt_tokens":0,"completion_tokens":0,"total_tokens":0'
    COMPATIBLE.plays(vendor, one.but(body=one.body.replace(usage, zeros).replace(word, word * 50)))

    await streams(client, key, OPENAI, COMPATIBLE)

    counted = await only_entry()
    assert counted.input_tokens > 0
    assert counted.output_tokens > 50
    assert counted.is_estimate


@pytest.mark.parametrize("streaming", [True, False])
async def test_models_may_be_called_by_signs_that_no_header_holds(
    client: Visitor, key: str, connect: Connect, vendor: FakeServer, streaming: bool
) -> None:
    await connect("school", COMPATIBLE.kind, "言語", base_url=f"{vendor.url}/v1")
    COMPATIBLE.plays(vendor, COMPATIBLE.answer if streaming else COMPATIBLE.whole)

    body = OPENAI.asking("school/言語", streaming=streaming)
    response = await client.post(OPENAI.path, json=body, headers={"x-api-key": key})

    assert response.status_code == 200, response.text
    assert response.headers["x-parley-model"] == "school/??"


@pytest.mark.parametrize(
    ("surface", "first"),
    [(OLLAMA, LLAMA), (GENERATION, PROMPTED_LLAMA), (COMPLETIONS, CONTINUING), (RESPONSES, RESPONDING)],
    ids=lambda either: getattr(either, "name", ""),
)
@pytest.mark.parametrize("streaming", [True, False])
async def test_another_model_answers_in_a_translation_when_the_first_fails(
    client: Visitor,
    key: str,
    connect: Connect,
    vendor: FakeServer,
    database: Database,
    surface: Client,
    first: Vendor,
    streaming: bool,
    entries: Entries,
) -> None:
    """Nothing is left of the first one's words, and both are in the ledger."""
    await connect("openai", "openai", "m", base_url=f"{vendor.url}/v1")
    await connect("practice", "echo", "echo-fast")
    async with database.writing() as session:
        wish = WantedAlias("any", (Share(first.model), Share("practice/echo-fast")))
        await aliases.add(session, wish, Act(COMMAND_LINE))
    first.plays(vendor, "openai/server_error")

    body = surface.asking("any", streaming=streaming)
    response = await client.post(surface.path, json=body, headers={"x-api-key": key})

    assert response.status_code == 200, response.text
    assert response.headers["x-parley-model"] == "practice/echo-fast"
    assert "Hello" in response.text
    assert surface.end in response.text or not streaming
    assert sorted(entry.outcome for entry in await entries()) == ["failed", "finished"]


def renamed(body: bytes) -> bytes:
    return body.replace(b'"model":"qwen3:8b"', b'"model":"ollama/m"')


def _told(response: httpx.Response) -> list[bytes]:
    return _told_in(response.content)


def _told_in(body: bytes) -> list[bytes]:
    """Every event; what is only there to keep a connection open says nothing."""
    return [event for event in body.split(b"\n\n") if event and not event.startswith(b":")]
