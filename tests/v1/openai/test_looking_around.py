"""OpenAI's own library looks for models."""

import openai
import pytest
from openai import OpenAI

from tests.v1.openai.conftest import ANOTHER_LANGUAGE, ECHO, OWN_LANGUAGE
from tests.v1.serving import Served


def test_it_finds_models_by_both_names(client: OpenAI) -> None:
    names = {model.id for model in client.models.list()}

    assert {OWN_LANGUAGE, ANOTHER_LANGUAGE, ECHO, "echo-fast"} <= names
    assert "obedient" not in names, "two connections offer it: the name alone says nothing"


def test_it_looks_at_one_model(client: OpenAI) -> None:
    assert client.models.retrieve(ECHO).owned_by == "echo"
    assert client.models.retrieve("echo-fast").owned_by == "echo"


def test_a_model_that_is_not_there_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refusal:
        client.models.retrieve("cloud/unheard-of")

    assert (refusal.value.code, refusal.value.param) == ("model_not_found", "model")


def test_a_wrong_key_is_the_callers(served: Served) -> None:
    stranger = OpenAI(base_url=served.openai_url, api_key="parley_wrong", max_retries=0)

    with pytest.raises(openai.AuthenticationError) as refusal:
        stranger.models.list()

    assert refusal.value.code == "invalid_api_key"
