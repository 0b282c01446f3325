"""One prompt and its answer, and vectors, in Parley's own words."""

import json
from base64 import b64encode
from typing import Any

import httpx
import pytest

from app.accounts.key_rules import Rules, Scope
from tests.cast import Cast, Visitor
from tests.chats.reading import events_of
from tests.v1.conftest import Connect, MakeKey

DOOR = "/api/generate"
MODEL = "practice/echo-fast"
PNG = b64encode(b"\x89PNG\r\n\x1a\nboat").decode()


@pytest.fixture
async def program(client: Visitor, key: str, connect: Connect) -> Visitor:
    """Bob's program, and a practice model."""
    await connect("practice", "echo", "echo-fast")
    client.headers["authorization"] = f"Bearer {key}"
    return client


async def test_a_prompt_is_answered(program: Visitor) -> None:
    response = await program.post(DOOR, json={"model": MODEL, "prompt": "Ahoy there", "images": [PNG]})

    answer = response.json()
    assert response.status_code == 200, answer
    assert "Ahoy there" in answer["content"]
    assert (answer["finish_reason"], answer["model"]) == ("stop", MODEL)
    assert answer["input_tokens"] > 0
    assert answer["output_tokens"] > 0
    assert not answer["tokens_are_estimated"]
    assert response.headers["x-parley-model"] == MODEL


async def test_an_answer_comes_as_lines(program: Visitor) -> None:
    asked = {"model": MODEL, "prompt": "/think Ahoy"}
    response = await program.post(DOOR, json=asked, headers={"accept": "application/x-ndjson"})

    start, *said, done = [json.loads(line) for line in response.text.splitlines()]
    assert response.headers["content-type"] == "application/x-ndjson"
    assert (start["event"], done["event"]) == ("start", "done")
    assert _joined(said, "delta") == done["data"]["content"]
    assert _joined(said, "thought") == done["data"]["reasoning"] != ""


async def test_an_answer_comes_as_events(program: Visitor) -> None:
    asked = {"model": MODEL, "prompt": "Ahoy"}
    response = await program.post(DOOR, json=asked, headers={"accept": "text/event-stream"})

    events = [event async for event in events_of(response)]
    assert (events[0].name, events[-1].name) == ("start", "done")
    said = "".join(event.json["text"] for event in events if event.name == "delta")
    assert said == events[-1].json["content"]


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/event-stream"])
async def test_what_breaks_off_does_not_end_well(program: Visitor, accept: str) -> None:
    asked = {"model": MODEL, "prompt": "/break Ahoy there, and goodbye"}
    response = await program.post(DOOR, json=asked, headers={"accept": accept})

    assert '"code":"broken_off"' in response.text
    assert "done" not in response.text


async def test_it_is_in_the_ledger_and_in_no_conversation(program: Visitor, cast: Cast) -> None:
    await program.post(DOOR, json={"model": MODEL, "prompt": "Ahoy"})

    assert (await cast.bob.client.get("/api/chats")).json()["chats"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "model"),
        ({"model": MODEL}, "prompt"),
        ({"model": MODEL, "prompt": 5}, "prompt"),
        ({"model": MODEL, "prompt": "x", "temperature": 9}, "temperature"),
        ({"model": MODEL, "prompt": "x", "images": ["%"]}, "images.0"),
        ({"model": MODEL, "prompt": "x", "images": [PNG] * 9}, "images"),
        ({"model": MODEL, "prompt": "x", "colour": "red"}, "colour"),
    ],
)
async def test_nonsense_is_refused_by_name(program: Visitor, asked: dict[str, Any], field: str) -> None:
    response = await program.post(DOOR, json=asked)

    assert response.status_code == 400
    assert response.json()["error"]["field"] == field
    assert response.json()["error"]["message"].startswith(field)


async def test_a_model_that_is_not_there_is_not_found(program: Visitor) -> None:
    response = await program.post(DOOR, json={"model": "practice/none", "prompt": "Ahoy"})

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_usable"


async def test_vectors_are_made(program: Visitor) -> None:
    response = await program.post("/api/embeddings", json={"model": MODEL, "input": ["boat", "lamp", "boat"]})

    made = response.json()
    boat, lamp, again = made["embeddings"]
    assert boat == again != lamp
    assert made["model"] == MODEL
    assert made["input_tokens"] == 3


async def test_a_key_opens_what_it_is_for(client: Visitor, make_key: MakeKey, connect: Connect) -> None:
    await connect("practice", "echo", "echo-fast")
    vectors = await make_key(Rules(frozenset({Scope.EMBEDDINGS})))
    other_model = await make_key(Rules(models=frozenset({"practice/other"})))

    async def asks(key: str, path: str, **asked: object) -> httpx.Response:
        return await client.post(path, json={"model": MODEL, **asked}, headers={"x-api-key": key})

    assert (await asks(vectors, "/api/embeddings", input="boat")).status_code == 200
    assert (await asks(vectors, DOOR, prompt="Ahoy")).json()["error"]["code"] == "scope_missing"
    assert (await asks(other_model, DOOR, prompt="Ahoy")).json()["error"]["code"] == "model_not_allowed"
    assert (await asks("parley_nonsense", DOOR, prompt="Ahoy")).status_code == 401
    assert (await asks("parley_nonsense", "/api/embeddings")).status_code == 401


def _joined(said: list[dict[str, Any]], event: str) -> str:
    return "".join(line["data"]["text"] for line in said if line["event"] == event)
