"""Where client and provider speak one language: the provider's own bytes, and nothing of ours among them."""

import httpx
import pytest

from tests.cast import Visitor
from tests.providers.fake_server import FakeServer
from tests.v1.clients import ANTHROPIC, OPENAI, Client
from tests.v1.conftest import Connect, OnlyEntry
from tests.v1.vendors import CLAUDE, COMPATIBLE, Vendor

USAGE_CHUNK = b'"choices":[],"usage":'
SIZES = pytest.mark.parametrize("chunk_size", [None, 1, 37], ids=["at once", "byte by byte", "in pieces"])


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer) -> None:
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(CLAUDE.kind, CLAUDE.kind, "m", base_url=vendor.url)


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
async def test_anthropics_clients_get_every_byte(
    client: Visitor, key: str, vendor: FakeServer, chunk_size: int | None, only_entry: OnlyEntry
) -> None:
    CLAUDE.plays(vendor, CLAUDE.answer.but(chunk_size=chunk_size))

    response = await streams(client, key, ANTHROPIC, CLAUDE)

    assert _told(response) == _told_in(CLAUDE.answer.body)
    assert response.text.count("event: message_start") == 1
    counted = await only_entry()
    assert (counted.input_tokens, counted.output_tokens, counted.is_estimate) == (420, 25, False)


async def test_a_whole_answer_is_the_providers(client: Visitor, key: str, vendor: FakeServer) -> None:
    for surface, upstream in ((OPENAI, COMPATIBLE), (ANTHROPIC, CLAUDE)):
        upstream.plays(vendor, upstream.whole)
        body = surface.asking(upstream.model)

        response = await client.post(surface.path, json=body, headers={"x-api-key": key})

        assert response.content == upstream.whole.body.strip()


def _told(response: httpx.Response) -> list[bytes]:
    return _told_in(response.content)


def _told_in(body: bytes) -> list[bytes]:
    """Every event; what is only there to keep a connection open says nothing."""
    return [event for event in body.split(b"\n\n") if event and not event.startswith(b":")]
