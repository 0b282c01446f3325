"""Clients that go away, and clients that take their time."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.providers.fake_server import Answer, FakeServer, Received
from tests.v1.clients import ANTHROPIC, COMPLETIONS, OLLAMA, OPENAI, RESPONSES, Client
from tests.v1.conftest import Connect, OnlyEntry
from tests.v1.vendors import CLAUDE, COMPATIBLE, LLAMA, VENDORS, Vendor
from tests.waiting import until

SECONDS_TO_HANG_UP = 25.0
"""The provider stalls for longer."""
PAIRS = pytest.mark.parametrize(
    ("surface", "upstream"),
    [
        (OPENAI, COMPATIBLE),
        (OPENAI, LLAMA),
        (ANTHROPIC, CLAUDE),
        (ANTHROPIC, COMPATIBLE),
        (OLLAMA, LLAMA),
        (OLLAMA, CLAUDE),
        (RESPONSES, COMPATIBLE),
        (COMPLETIONS, COMPATIBLE),
    ],
    ids=lambda either: either.name if isinstance(either, Client) else either.kind,
)
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
MEGABYTES = 40


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer) -> None:
    for each in VENDORS:
        await connect(
            each.kind, each.kind, "m", base_url=f"{vendor.url}/v1" if each is COMPATIBLE else vendor.url
        )


@pytest.fixture
async def program(address: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with Bob's key on a socket of its own."""
    async with httpx.AsyncClient(base_url=address, headers={"x-api-key": key}, timeout=60) as client:
        yield client


@PAIRS
async def test_who_leaves_ends_the_providers_work(
    program: httpx.AsyncClient, vendor: FakeServer, surface: Client, upstream: Vendor, only_entry: OnlyEntry
) -> None:
    upstream.plays(vendor, upstream.stalling)
    body = surface.asking(upstream.model, streaming=True)

    async with program.stream("POST", surface.path, json=body) as response:
        async for piece in response.aiter_text():
            if "Gr" in piece:
                break
    async with asyncio.timeout(SECONDS_TO_HANG_UP):
        await vendor.hung_up.wait()

    entry = await only_entry()
    assert (entry.outcome, entry.is_estimate) == ("stopped", True)
    assert entry.output_tokens > 0


@PAIRS
@pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
async def test_who_leaves_before_the_first_word_does_so_too(
    program: httpx.AsyncClient,
    vendor: FakeServer,
    surface: Client,
    upstream: Vendor,
    streaming: bool,
    only_entry: OnlyEntry,
) -> None:
    upstream.plays(vendor, upstream.answer.but(stalls_at=0))
    asking = asyncio.create_task(
        program.post(surface.path, json=surface.asking(upstream.model, streaming=streaming))
    )

    async def what_was_asked() -> list[Received]:
        return vendor.received

    await until(what_was_asked)
    asking.cancel()
    async with asyncio.timeout(SECONDS_TO_HANG_UP):
        await vendor.hung_up.wait()

    assert (await only_entry()).outcome == "stopped"


async def test_who_takes_time_gets_everything_and_holds_nobody_up(
    program: httpx.AsyncClient, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    """What is not fetched yet stays with the provider: memory here does not grow with it."""
    megabyte = (WORD % (b"x" * 1_000)) * 1_000
    end = COMPATIBLE.answer.body[COMPATIBLE.answer.body.index(COMPATIBLE.last_words) :]
    body = megabyte * MEGABYTES + end
    COMPATIBLE.plays(vendor, Answer(200, COMPATIBLE.answer.headers, body, chunk_size=65_536))
    received = 0

    async with program.stream(
        "POST", OPENAI.path, json=OPENAI.asking(COMPATIBLE.model, streaming=True)
    ) as slow:
        pieces = slow.aiter_bytes()
        received += len(await anext(pieces))
        await asyncio.sleep(0.5)
        taken_off = vendor.written
        async with asyncio.timeout(60):
            assert (await program.get("/v1/models")).status_code == 200
        last = b""
        async for piece in pieces:
            received += len(piece)
            last = (last + piece)[-100:]

    assert taken_off < len(body) / 2
    assert received >= MEGABYTES * len(megabyte)
    assert last.endswith(b"data: [DONE]\n\n")
    assert (await only_entry()).outcome == "finished"


@pytest.mark.parametrize(
    "path", [OPENAI.path, ANTHROPIC.path, OLLAMA.path, "/v1/embeddings", "/ollama/api/show"]
)
async def test_who_leaves_in_the_middle_of_a_question_is_no_mistake_of_ours(
    address: str, key: str, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nx-api-key: {key}\r\nContent-Length: 5000\r\n\r\n"

    _, line = await asyncio.open_connection(host, int(port))
    line.write(head.encode() + b'{"model": "')
    await line.drain()
    await asyncio.sleep(0.2)
    line.close()
    await line.wait_closed()
    await asyncio.sleep(0.2)

    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
