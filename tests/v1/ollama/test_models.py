"""Models as Ollama's own library reads them."""

from datetime import UTC, datetime

import pytest
from ollama import ListResponse, ProcessResponse, ShowResponse

from app.catalog.loaded import InMemory
from app.providers.memory import LoadedModel
from app.v1.ollama.models import capabilities, in_memory, shown, tags
from tests.v1.listed import FOUND_AT, model

QWEN = model("gpu/qwen3", "tools", "reasoning")


def test_models_are_listed_by_their_full_names() -> None:
    [listed] = ListResponse.model_validate(tags([QWEN])).models

    assert (listed.model, listed.modified_at) == ("gpu/qwen3", FOUND_AT)


def test_a_model_is_shown_with_its_window() -> None:
    told = ShowResponse.model_validate(shown(QWEN))

    assert told.modelinfo is not None
    architecture = told.modelinfo["general.architecture"]
    assert told.modelinfo[f"{architecture}.context_length"] == 8_192
    assert told.capabilities == ["completion", "tools", "thinking"]


@pytest.mark.parametrize(
    ("abilities", "told"),
    [
        ((), ["completion"]),
        (("vision", "tools", "reasoning"), ["completion", "vision", "tools", "thinking"]),
        (("embeddings",), ["embedding"]),
    ],
)
def test_what_a_model_can_do(abilities: tuple[str, ...], told: list[str]) -> None:
    assert capabilities(model("gpu/qwen3", *abilities)) == told


def test_what_is_in_memory() -> None:
    until = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
    loaded = LoadedModel("qwen3", size=5_000, size_on_gpu=4_000, context_window=4_096, expires_at=until)

    [told] = ProcessResponse.model_validate(in_memory([InMemory(QWEN, loaded)])).models

    assert (told.name, told.size, told.size_vram) == ("gpu/qwen3", 5_000, 4_000)
    assert (told.context_length, told.expires_at) == (4_096, until)
