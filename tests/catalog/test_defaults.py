"""Which models are ticked when a list is seen for the first time."""

from app.catalog.defaults import MOST_TICKED, sensible
from app.providers.base import ModelInfo


def ticked(*names: str) -> frozenset[str]:
    return sensible([ModelInfo(name) for name in names])


def test_what_cannot_chat_is_not_ticked() -> None:
    others = [
        "text-embedding-3-large",
        "whisper-1",
        "tts-1-hd",
        "omni-moderation-latest",
        "dall-e-3",
        "bge-m3",
    ]
    others += [
        "gpt-image-1",
        "llama-guard-4-12b",
        "playai-tts",
        "rerank-v3.5",
        "gpt-realtime",
        "nomic-embed-text",
    ]

    assert ticked("gpt-5.6", "qwen3:32b", *others) == {"gpt-5.6", "qwen3:32b"}


def test_what_a_provider_says_of_embeddings_is_believed() -> None:
    assert sensible([ModelInfo("harmless-name", embeddings=True)]) == frozenset()


def test_short_lists_are_ticked_whole() -> None:
    names = [f"model-{number}" for number in range(12)]

    assert ticked(*names) == set(names)


def test_of_long_lists_the_newest_few_are_ticked_without_dated_copies() -> None:
    old = [f"gpt-3.5-turbo-{number}" for number in range(20)]
    new = ["gpt-6-astra", "gpt-6-astra-2026-10-01", "gpt-5.6", "gpt-5.6-mini", "gpt-5.6-preview", "gpt-4o"]

    chosen = ticked(*old, *new)

    assert len(chosen) <= MOST_TICKED
    assert {"gpt-6-astra", "gpt-5.6", "gpt-5.6-mini", "gpt-4o"} <= chosen
    assert not {"gpt-6-astra-2026-10-01", "gpt-5.6-preview", old[0]} & chosen


def test_a_long_list_of_nothing_but_old_models_still_ticks_some() -> None:
    assert len(ticked(*[f"gpt-3.5-{number}" for number in range(30)])) == MOST_TICKED
