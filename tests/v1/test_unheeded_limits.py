"""Providers that write on beyond the maximum that they were told, where a hard limit pays: they are hung up on."""

import asyncio
from dataclasses import dataclass

import httpx
import orjson
import pytest
from sqlalchemy import select

from app.core.clock import now
from app.core.database import Database
from app.usage.models import BEYOND_LIMIT, Budget, BudgetCounter, PriceOverride
from tests.cast import Visitor
from tests.providers.fake_server import Answer, FakeServer, transcript
from tests.v1.clients import ANTHROPIC, COMPLETIONS, GENERATION, NATIVE, OLLAMA, OPENAI, RESPONSES, Client
from tests.v1.conftest import Connect, OnlyEntry
from tests.v1.vendors import CLAUDE, COMPATIBLE, CONTINUING, LLAMA, PROMPTED_LLAMA, RESPONDING, Vendor

MICROS = 1_000_000
MOST = 100
"""Tokens that are asked for, and paid for."""
WORDS = 20_000
"""That a provider goes on to say."""
EVENTS = {"content-type": "text/event-stream"}
LINES = {"content-type": "application/x-ndjson"}


@dataclass(frozen=True)
class Way:
    """A client, and the provider that answers it; `cut_off` is how the client's language says that it was too long."""

    client: Client
    upstream: Vendor
    cut_off: str
    limit: str

    @property
    def name(self) -> str:
        return f"{self.client.name}-{self.upstream.kind}"


LENGTH = '"finish_reason":"length"'
WAYS = (
    Way(OPENAI, COMPATIBLE, LENGTH, "max_tokens"),
    Way(ANTHROPIC, CLAUDE, '"stop_reason":"max_tokens"', "max_tokens"),
    Way(OPENAI, CLAUDE, LENGTH, "max_tokens"),
    Way(ANTHROPIC, COMPATIBLE, '"stop_reason":"max_tokens"', "max_tokens"),
    Way(COMPLETIONS, CONTINUING, LENGTH, "max_tokens"),
    Way(RESPONSES, RESPONDING, '"reason":"max_output_tokens"', "max_output_tokens"),
    Way(OLLAMA, LLAMA, '"done_reason":"length"', "num_predict"),
    Way(GENERATION, PROMPTED_LLAMA, '"done_reason":"length"', "num_predict"),
    Way(OLLAMA, COMPATIBLE, '"done_reason":"length"', "num_predict"),
    Way(RESPONSES, COMPATIBLE, '"reason":"max_output_tokens"', "max_output_tokens"),
    Way(NATIVE, CLAUDE, LENGTH, "max_output_tokens"),
)
ON_EACH_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


def chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + orjson.dumps({"id": "chatcmpl-1", "choices": [choice]}) + b"\n\n"


def delta(text: str) -> bytes:
    told = {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": text}}
    return b"event: content_block_delta\ndata: " + orjson.dumps(told) + b"\n\n"


def endless(upstream: Vendor, words: int = 1, text: str = "word ") -> Answer:
    """It goes on and on, `words` at a time, and then waits for somebody to hang up."""
    if upstream is CLAUDE:
        body = transcript("anthropic/answer").body
        begun = body[: body.index(CLAUDE.middle)]
        body = begun + delta(text * words) * (WORDS // words)
    elif upstream is RESPONDING:
        body = transcript("openai_responses/answer").body
        piece = {"type": "response.output_text.delta", "sequence_number": 7, "delta": text * words}
        begun = body[: body.index(RESPONDING.middle)]
        body = begun + b"event: response.output_text.delta\ndata: " + orjson.dumps(piece) + b"\n\n"
        body = begun + body[len(begun) :] * (WORDS // words)
    elif upstream in (LLAMA, PROMPTED_LLAMA):
        said = (
            {"response": text * words}
            if upstream is PROMPTED_LLAMA
            else {"message": {"content": text * words}}
        )
        body = (orjson.dumps({"model": "m", **said, "done": False}) + b"\n") * (WORDS // words)
        return Answer(headers=LINES, body=body, chunk_size=2_000, stalls_at=len(body))
    elif upstream is CONTINUING:
        choice = {"index": 0, "text": text * words, "finish_reason": None}
        body = b"data: " + orjson.dumps({"id": "cmpl-1", "choices": [choice]}) + b"\n\n"
        body *= WORDS // words
    else:
        body = chunk(text * words) * (WORDS // words)
    return Answer(headers=EVENTS, body=body, chunk_size=2_000, stalls_at=len(body))


@pytest.fixture(autouse=True)
async def limited(connect: Connect, vendor: FakeServer, database: Database) -> None:
    """Vendors whose token costs a millionth of a dollar, of which everybody together may spend one."""
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(RESPONDING.kind, RESPONDING.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(CLAUDE.kind, CLAUDE.kind, "m", base_url=vendor.url)
    await connect(LLAMA.kind, LLAMA.kind, "m", base_url=vendor.url)
    async with database.writing() as session:
        for upstream in (COMPATIBLE, CLAUDE, RESPONDING, LLAMA):
            row = PriceOverride(connection=upstream.kind, model="m", effective_from=now())
            row.input = row.output = MICROS
            session.add(row)
        session.add(Budget(scope="workspace", unit="usd", period="total", amount=MICROS))


async def ask(visitor: Visitor, key: str, way: Way, *, streaming: bool = True) -> httpx.Response:
    limit = {way.limit: MOST}
    limit = {"options": limit} if way.limit == "num_predict" else limit
    body = way.client.body(way.upstream.model, "Hello") | limit
    headers = {"x-api-key": key}
    if way.client is NATIVE:
        headers["accept"] = "text/event-stream" if streaming else "application/json"
    elif streaming:
        body["stream"] = True
    return await visitor.post(way.client.path, json=body, headers=headers)


@ON_EACH_WAY
async def test_the_provider_is_hung_up_on_and_the_answer_ends_as_too_long(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry, way: Way
) -> None:
    vendor.plays(endless(way.upstream))

    response = await ask(client, key, way)

    assert response.status_code == 200
    await asyncio.wait_for(vendor.hung_up.wait(), 5)
    assert MOST <= response.text.count("word ") < WORDS / 2
    assert way.cut_off in response.text
    assert "error" not in response.text.replace('"error":null', "")
    entry = await only_entry()
    assert (entry.outcome, entry.error_code, entry.is_estimate) == ("stopped", "cut_off", True)
    assert entry.output_tokens == MOST, "no more than was paid for"


@ON_EACH_WAY
async def test_many_words_at_a_time_are_counted_too(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry, way: Way
) -> None:
    vendor.plays(endless(way.upstream, words=200))

    response = await ask(client, key, way)

    await asyncio.wait_for(vendor.hung_up.wait(), 5)
    assert way.cut_off in response.text
    assert response.text.count("word ") < WORDS / 2
    assert (await only_entry()).output_tokens == MOST


@pytest.mark.parametrize("way", [WAYS[0], WAYS[3]], ids=lambda way: way.name)
async def test_what_is_written_after_the_end_is_not_paid_for_either(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry, way: Way
) -> None:
    answer = endless(way.upstream)
    vendor.plays(answer.but(body=chunk("Yes. ") + chunk("", "stop") + answer.body))

    response = await ask(client, key, way)

    await asyncio.wait_for(vendor.hung_up.wait(), 5)
    assert response.text.count("word ") < WORDS / 2
    assert (await only_entry()).output_tokens <= MOST


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
async def test_a_stream_in_the_providers_own_words_ends_as_its_language_wants(
    client: Visitor, key: str, vendor: FakeServer, way: Way
) -> None:
    vendor.plays(endless(way.upstream))

    said = (await ask(client, key, way)).text

    ends = said[said.rindex("word ") :]
    if way.client is OPENAI:
        assert said.endswith("data: [DONE]\n\n")
        assert '"role"' not in ends, "the answer does not begin again"
    else:
        kinds = [line.removeprefix("event: ") for line in ends.splitlines() if line.startswith("event: ")]
        assert kinds == ["content_block_stop", "message_delta", "message_stop"]
        assert '{"type":"content_block_stop","index":1}' in ends, "the one that was growing"


@pytest.mark.parametrize("text", ["unforeseeably ", "предложение ", "\N{DEVANAGARI LETTER KA}" * 3, "好"])
@pytest.mark.parametrize("client_of", [OPENAI, ANTHROPIC], ids=["passed on", "translated"])
async def test_who_heeds_the_limit_is_never_interrupted(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry, text: str, client_of: Client
) -> None:
    """Its tokens may be long: a word of fourteen letters is two or three."""
    pieces = MOST if len(text) < 6 else MOST // 3
    usage = {"prompt_tokens": 9, "completion_tokens": MOST}
    figures = b"data: " + orjson.dumps({"choices": [], "usage": usage}) + b"\n\n"
    body = chunk("") + chunk(text) * pieces + chunk("", "length") + figures + b"data: [DONE]\n\n"
    vendor.plays(Answer(headers=EVENTS, body=body))

    await ask(client, key, Way(client_of, COMPATIBLE, "", "max_tokens"))

    entry = await only_entry()
    assert (entry.outcome, entry.error_code, entry.output_tokens) == ("finished", "", MOST)


async def test_what_surrounds_words_is_no_answer(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    """Some servers send a page of judgements with each token, and what they think under two names."""
    safe = {"filtered": False, "severity": "safe"}
    judged = dict.fromkeys(("hate", "self_harm", "sexual", "violence", "jailbreak", "profanity"), safe)
    thought = {"reasoning": "so ", "reasoning_details": [{"type": "reasoning.text", "text": "so "}]}
    choice = {"index": 0, "delta": thought, "content_filter_results": judged, "finish_reason": None}
    piece = b"data: " + orjson.dumps({"id": "chatcmpl-1", "x": "x" * 300, "choices": [choice]}) + b"\n\n"
    usage = {"prompt_tokens": 9, "completion_tokens": MOST}
    figures = b"data: " + orjson.dumps({"choices": [], "usage": usage}) + b"\n\n"
    body = piece * MOST + chunk("", "length") + figures + b"data: [DONE]\n\n"
    vendor.plays(Answer(headers=EVENTS, body=body))

    await ask(client, key, WAYS[0])

    entry = await only_entry()
    assert (entry.outcome, entry.error_code, entry.output_tokens) == ("finished", "", MOST)


async def test_nobody_is_watched_where_no_limit_counts_words(
    client: Visitor, key: str, vendor: FakeServer, database: Database
) -> None:
    async with database.writing() as session:
        (budget,) = await session.scalars(select(Budget))
        budget.unit, budget.amount = "requests", 10
    answer = endless(COMPATIBLE)
    end = chunk("", "stop") + b"data: [DONE]\n\n"
    vendor.plays(answer.but(body=answer.body + end, stalls_at=None))

    response = await ask(client, key, WAYS[0])

    assert response.text.count("word ") == WORDS


@pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
async def test_what_a_provider_bills_beyond_is_entered_and_told(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    only_entry: OnlyEntry,
    database: Database,
    *,
    streaming: bool,
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5_000_000}
    if streaming:
        figures = b"data: " + orjson.dumps({"choices": [], "usage": usage}) + b"\n\n"
        vendor.plays(
            Answer(headers=EVENTS, body=chunk("Yes.") + chunk("", "stop") + figures + b"data: [DONE]\n\n")
        )
    else:
        choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
        whole = {"id": "chatcmpl-1", "choices": [choice], "usage": usage}
        vendor.plays(Answer(headers={"content-type": "application/json"}, body=orjson.dumps(whole)))

    said = (await ask(client, key, WAYS[0], streaming=streaming)).text
    assert "Yes." in said
    assert LENGTH not in said, "it ended by itself"

    entry = await only_entry()
    assert (entry.output_tokens, entry.error_code, entry.is_estimate) == (5_000_000, BEYOND_LIMIT, False)
    async with database.reading() as session:
        assert await session.scalar(select(BudgetCounter.spent)) == entry.cost_micros == 5_000_009
    assert (await ask(client, key, WAYS[0], streaming=streaming)).status_code == 429


def begun(index: int, block: dict[str, str]) -> bytes:
    told = {"type": "content_block_start", "index": index, "content_block": block}
    return b"event: content_block_start\ndata: " + orjson.dumps(told) + b"\n\n"


CALLED = b"".join(begun(index, {"type": "tool_use", "id": "t", "name": "look"}) for index in range(WORDS))
THOUGHT = begun(0, {"type": "redacted_thinking", "data": "Zm9v" * 50}) * WORDS


@pytest.mark.parametrize("flood", [CALLED, THOUGHT], ids=["calls without arguments", "encrypted thoughts"])
@pytest.mark.parametrize("way", [WAYS[2], WAYS[1]], ids=["translated", "passed on"])
async def test_what_is_no_text_is_not_written_for_ever_either(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry, way: Way, flood: bytes
) -> None:
    begins = transcript("anthropic/answer").body.partition(b"event: content_block_start")[0]
    body = begins + flood
    vendor.plays(Answer(headers=EVENTS, body=body, chunk_size=2_000, stalls_at=len(body)))

    response = await ask(client, key, way)

    await asyncio.wait_for(vendor.hung_up.wait(), 5)
    assert way.cut_off in response.text
    assert len(response.content) < len(body) / 2
    entry = await only_entry()
    assert (entry.error_code, entry.output_tokens) == ("cut_off", MOST)


@pytest.mark.parametrize("arguments", [{}, {"text": "word " * 20}], ids=["empty", "long"])
async def test_a_line_full_of_calls_is_more_than_one_piece(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry, arguments: dict[str, str]
) -> None:
    call = {"function": {"name": "look", "arguments": arguments}}
    said = {"role": "assistant", "content": "", "tool_calls": [call] * 20}
    line = orjson.dumps({"model": "m", "message": said, "done": False}) + b"\n"
    vendor.plays(Answer(headers=LINES, body=line * 500, chunk_size=2_000, stalls_at=len(line) * 500))

    response = await ask(client, key, WAYS[6])

    await asyncio.wait_for(vendor.hung_up.wait(), 5)
    assert '"done_reason":"length"' in response.text
    assert response.text.count("look") <= 200
    assert (await only_entry()).output_tokens == MOST


async def test_a_call_that_says_much_is_counted_once(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    call = {"function": {"name": "write", "arguments": {"path": "a.txt", "content": "word " * MOST}}}
    said = {"role": "assistant", "content": "", "tool_calls": [call]}
    end = {"message": {"content": ""}, "done": True, "prompt_eval_count": 5, "eval_count": MOST}
    lines = ({"model": "m", "message": said, "done": False}, {"model": "m", **end, "done_reason": "stop"})
    vendor.plays(Answer(headers=LINES, body=b"".join(orjson.dumps(line) + b"\n" for line in lines)))

    response = await ask(client, key, WAYS[6])

    assert '"done_reason":"stop"' in response.text
    assert (await only_entry()).outcome == "finished"
