"""Completions, embeddings, the list of models, and errors."""

import struct
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.catalog.listing import ListedModel
from app.providers.base import EmbeddingRequest, Embeddings, Role, Turn
from app.providers.events import TextDelta
from app.v1.offers import Offer
from app.v1.openai import embeddings, errors, models
from app.v1.openai.completions import Completions
from app.v1.surface import BadRequest, Failure
from tests.v1.openai.streams import ANSWER, FAILURE, documents_in, events_in, said

COMPLETIONS = Completions()
ASKED = {"model": "echo/echo", "prompt": "Once upon", "stream": True, "max_tokens": 9}


def test_a_prompt_is_one_turn() -> None:
    asked = COMPLETIONS.read(ASKED | {"echo": True, "best_of": 1})

    assert asked.request.turns == (Turn(Role.USER, "Once upon"),)
    assert asked.request.max_output_tokens == 9
    assert asked.beyond == ("echo",)


@pytest.mark.parametrize("prompt", [None, [], ["a", "b"], [1, 2], [[1]]])
def test_anything_but_one_prompt_is_refused(prompt: object) -> None:
    with pytest.raises(BadRequest, match="must be one text"):
        COMPLETIONS.read(ASKED | {"prompt": prompt})


def test_a_completion_is_answered_whole_and_in_pieces() -> None:
    asked = COMPLETIONS.read(ASKED | {"stream_options": {"include_usage": True}})

    whole = COMPLETIONS.whole(asked, replace(ANSWER, text="a time"))
    stream = said(COMPLETIONS, asked, [TextDelta("a "), TextDelta("time")])

    assert whole["choices"][0]["text"] == "a time"
    pieces = [choice["text"] for document in documents_in(stream) for choice in document["choices"]]
    assert "".join(pieces) == "a time"
    assert documents_in(stream)[-1]["usage"]["total_tokens"] == 17
    assert events_in(stream)[-1].data == "[DONE]"
    assert b"[DONE]" not in COMPLETIONS.writer(asked, ANSWER).failed(FAILURE)


def test_vectors_come_as_numbers_or_packed() -> None:
    vectors = Embeddings(((0.5, -1.0), (0.25, 2.0)))
    body: dict[str, Any] = {"model": "e/e", "input": ["a", "b"], "dimensions": 2}

    plain = embeddings.whole(embeddings.read(body), vectors, 7)
    packed = embeddings.whole(embeddings.read(body | {"encoding_format": "base64"}), vectors, 7)

    assert embeddings.read(body).request == EmbeddingRequest("e/e", ("a", "b"), 2)
    assert [entry["embedding"] for entry in plain["data"]] == [[0.5, -1.0], [0.25, 2.0]]
    assert struct.unpack("<2f", b64decode(packed["data"][1]["embedding"])) == (0.25, 2.0)
    assert plain["usage"] == {"prompt_tokens": 7, "total_tokens": 7}


@pytest.mark.parametrize("texts", [None, [], [1, 2], [[1], [2]], ["a", 1]])
def test_only_texts_are_embedded(texts: object) -> None:
    with pytest.raises(BadRequest, match="a text or a list of texts"):
        embeddings.read({"model": "e/e", "input": texts})


def test_a_text_alone_is_a_list_of_one() -> None:
    assert embeddings.read({"model": "e/e", "input": "a"}).request.texts == ("a",)


def test_models_are_listed_under_their_names() -> None:
    found_at = datetime(2026, 11, 21, tzinfo=UTC)
    model = ListedModel("echo", "echo-fast", "Echo, fast", found_at, 8192, None, ())

    listing = models.listing([Offer("echo/echo-fast", model)])

    assert listing == {
        "object": "list",
        "data": [
            {
                "id": "echo/echo-fast",
                "object": "model",
                "created": 1_795_219_200,
                "owned_by": "echo",
                "context_window": 8192,
            }
        ],
    }


@pytest.mark.parametrize(
    ("failure", "kind", "code", "parameter"),
    [
        (Failure(401, "invalid_api_key", "…"), "invalid_request_error", "invalid_api_key", None),
        (Failure(404, "model_not_usable", "…"), "invalid_request_error", "model_not_found", "model"),
        (Failure(403, "scope_missing", "…"), "permission_error", "scope_missing", None),
        (
            Failure(400, "context_too_long", "…"),
            "invalid_request_error",
            "context_length_exceeded",
            "messages",
        ),
        (
            Failure(400, "invalid_request", "…", "tools.0"),
            "invalid_request_error",
            "invalid_request",
            "tools.0",
        ),
        (Failure(429, "rate_limit_exceeded", "…"), "requests", "rate_limit_exceeded", None),
        (Failure(429, "budget_exceeded", "…"), "insufficient_quota", "insufficient_quota", None),
        (Failure(503, "overloaded", "…"), "server_error", "overloaded", None),
    ],
)
def test_failures_have_the_types_and_codes_that_clients_know(
    failure: Failure, kind: str, code: str, parameter: str | None
) -> None:
    error = errors.envelope(failure)["error"]

    assert error == {"message": "…", "type": kind, "param": parameter, "code": code}
