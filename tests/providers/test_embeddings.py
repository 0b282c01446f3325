"""Vectors from every provider that makes them, in one shape, and a sentence from those that do not."""

from math import isclose, sqrt

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.providers.anthropic import Anthropic
from app.providers.base import EmbeddingRequest, Embeddings, Provider
from app.providers.echo import Echo
from app.providers.echo_vectors import vector_of
from app.providers.errors import NotTheProtocol, RateLimited, RequestRefused
from app.providers.events import Usage
from app.providers.groq import Groq
from app.providers.lmstudio import LMStudio
from app.providers.ollama import Ollama
from app.providers.openai import OpenAI
from app.providers.openai_compatible import OpenAICompatible
from app.providers.vectors import vector_in
from tests.providers.fake_server import FakeServer, transcript
from tests.providers.reading import endpoint

TWO_TEXTS = EmbeddingRequest("a-model", ("Grüße", "world"))
TWO_VECTORS = ((0.5, -0.25), (1.0, 0.0))


@pytest.mark.parametrize(
    ("kind", "story", "path"),
    [
        (OpenAI, "openai/embeddings", "/v1/embeddings"),
        (OpenAICompatible, "compatible/embeddings", "/v1/embeddings"),
        (LMStudio, "compatible/embeddings", "/v1/embeddings"),
        (Ollama, "ollama/embed", "/api/embed"),
    ],
)
async def test_vectors_come_in_the_order_of_the_texts(
    server: FakeServer, kind: type[Provider], story: str, path: str
):
    server.plays(story)

    found = await kind(endpoint(f"{server.url}/v1")).embed(TWO_TEXTS)

    assert found == Embeddings(TWO_VECTORS, Usage(input=4, output=0))
    assert server.received[0].path == path
    assert server.received[0].json["input"] == ["Grüße", "world"]


async def test_a_length_is_asked_for_only_where_it_was_wanted(server: FakeServer):
    server.plays("openai/embeddings")
    provider = OpenAI(endpoint(f"{server.url}/v1"))

    await provider.embed(TWO_TEXTS)
    await provider.embed(EmbeddingRequest("a-model", ("one", "two"), dimensions=2))

    first, second = (request.json for request in server.received)
    assert first == {"model": "a-model", "input": ["Grüße", "world"], "encoding_format": "base64"}
    assert second["dimensions"] == 2


async def test_ollama_is_not_to_cut_a_text_silently(server: FakeServer):
    server.plays("ollama/embed")

    await Ollama(endpoint(server.url)).embed(EmbeddingRequest("nomic", ("one", "two"), dimensions=2))

    assert server.received[0].json == {
        "model": "nomic",
        "input": ["one", "two"],
        "truncate": False,
        "dimensions": 2,
    }


async def test_too_many_requests_are_waited_for(server: FakeServer):
    server.plays("openai/rate_limited", "openai/embeddings")

    found = await OpenAI(endpoint(f"{server.url}/v1")).embed(TWO_TEXTS)

    assert found.vectors == TWO_VECTORS


async def test_patience_ends(server: FakeServer):
    server.plays("openai/rate_limited")

    with pytest.raises(RateLimited):
        await OpenAI(endpoint(f"{server.url}/v1", retries=1)).embed(TWO_TEXTS)
    assert len(server.received) == 2


@pytest.mark.parametrize("nonsense", [[], ["x"], [[0.5], [1.0]], [[]], [None], [[0.5, "x"]]])
async def test_vectors_that_are_missing_or_odd_are_not_made_up(server: FakeServer, nonsense: object):
    body = orjson.dumps({"embeddings": nonsense})
    server.plays(transcript("ollama/embed").but(body=body))

    with pytest.raises(NotTheProtocol):
        await Ollama(endpoint(server.url)).embed(EmbeddingRequest("a-model", ("one",)))


@pytest.mark.parametrize(("kind", "name"), [(Groq, "Groq"), (Anthropic, "Anthropic")])
async def test_who_makes_none_says_so(kind: type[Provider], name: str):
    with pytest.raises(RequestRefused, match=f"{name} makes no embeddings"):
        await kind(endpoint("http://127.0.0.1:9")).embed(TWO_TEXTS)


async def test_echo_makes_short_ones_that_are_always_the_same():
    echo = Echo(endpoint(""))

    found = await echo.embed(EmbeddingRequest("echo", ("The red house", "the red HOUSE", "Something else")))

    first, second, third = found.vectors
    assert first == second != third
    assert isclose(sqrt(sum(number * number for number in first)), 1)
    assert found.usage == Usage(input=8, output=0)


@given(some.text(), some.integers(1, 300))
def test_echos_vectors_are_as_long_as_was_asked(text: str, dimensions: int):
    assert len(vector_of(text, dimensions)) == dimensions


@given(some.recursive(some.none() | some.booleans() | some.floats() | some.text(), some.lists))
def test_no_value_breaks_the_reader(value: object):
    assert vector_in(value) is None or isinstance(vector_in(value), tuple)
