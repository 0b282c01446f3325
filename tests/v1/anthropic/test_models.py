"""The list of models as Anthropic's clients page through it."""

import json

import pytest
from anthropic.types import ModelInfo

from app.v1.anthropic.models import document, page
from app.v1.offers import Offer
from tests.v1.listed import model

OFFERS = [Offer(f"claude/{letter}", model(f"claude/{letter}")) for letter in "abcde"]


def test_a_model_is_described_as_the_library_expects_it() -> None:
    told = ModelInfo.model_validate_json(json.dumps(document(OFFERS[0])), strict=True)

    assert (told.id, told.display_name, told.lifecycle) == ("claude/a", "A", "active")
    assert told.created_at.isoformat() == "2026-11-20T12:30:00+00:00"
    assert (told.max_input_tokens, told.max_tokens) == (8_192, None)


@pytest.mark.parametrize(
    ("wanted", "letters", "has_more"),
    [
        ({}, "abcde", False),
        ({"limit": 2}, "ab", True),
        ({"limit": 2, "after": "claude/b"}, "cd", True),
        ({"limit": 2, "after": "claude/c"}, "de", False),
        ({"after": "claude/e"}, "", False),
        ({"limit": 2, "before": "claude/d"}, "bc", True),
        ({"limit": 5, "before": "claude/c"}, "ab", False),
        ({"limit": 2, "after": "gone"}, "ab", True),
    ],
)
def test_pages(wanted: dict[str, object], letters: str, has_more: bool) -> None:
    told = page(OFFERS, **wanted)  # type: ignore[arg-type]

    names = [f"claude/{letter}" for letter in letters]
    assert [model["id"] for model in told["data"]] == names
    assert told["has_more"] is has_more
    assert (told["first_id"], told["last_id"]) == ((names[0], names[-1]) if names else (None, None))
