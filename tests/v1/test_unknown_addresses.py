"""What a vendor's service offers and Parley does not is said in that vendor's words, so that its libraries can tell."""

from collections.abc import Callable

import pytest

from tests.cast import Visitor
from tests.v1.clients import (
    Json,
    in_anthropics_words,
    in_ollamas_words,
    in_openais_words,
    in_our_words,
)

ADDRESSES = (
    ("/v1/audio/speech", in_openais_words),
    ("/v1/messages/batches", in_anthropics_words),
    ("/ollama/api/pull", in_ollamas_words),
    ("/api/nothing", in_our_words),
)


@pytest.mark.parametrize(("path", "complaint"), ADDRESSES)
async def test_an_address_that_leads_nowhere(
    client: Visitor, path: str, complaint: Callable[[Json], tuple[str, str]]
) -> None:
    response = await client.post(path, json={})

    assert response.status_code == 404
    assert complaint(response.json())[1]


async def test_a_verb_that_an_address_does_not_have(client: Visitor) -> None:
    response = await client.put("/v1/chat/completions", json={})

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert in_openais_words(response.json())[1] == "This address does not do that."


async def test_where_two_vendors_have_the_same_address_the_caller_says_whose_it_is(client: Visitor) -> None:
    headers = {"anthropic-version": "2023-06-01"}

    assert in_anthropics_words((await client.post("/v1/files", headers=headers)).json())
    assert in_openais_words((await client.post("/v1/files")).json())
