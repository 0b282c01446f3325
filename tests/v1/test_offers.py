"""Programs ask for `connection/model`, or for the model alone where that says enough."""

import pytest

from app.catalog.aliases_offered import ListedAlias
from app.v1.offers import NoSuchModel, offer_named, offers
from tests.v1.listed import caller, model

MODELS = [model("claude/sonnet"), model("gpu/qwen3"), model("laptop/qwen3")]


def test_a_model_is_offered_by_its_own_name_where_that_is_unique() -> None:
    assert [offer.name for offer in offers(MODELS, caller())] == [
        "claude/sonnet",
        "gpu/qwen3",
        "laptop/qwen3",
        "sonnet",
    ]


def test_a_key_lists_what_it_is_made_for() -> None:
    assert [offer.name for offer in offers(MODELS, caller("claude/sonnet"))] == ["claude/sonnet", "sonnet"]
    assert offers(MODELS, caller("fast")) == []


def test_an_alias_is_offered_for_what_stands_behind_it() -> None:
    sonnet = ListedAlias("sonnet", (MODELS[1], MODELS[0]))

    offered = offers(MODELS, caller(), [sonnet])

    assert [offer.name for offer in offered][3:] == ["sonnet"], "it goes before the model of that name"
    assert offer_named("sonnet", offered).model.full_name == "gpu/qwen3"
    assert [offer.name for offer in offers(MODELS, caller("sonnet"), [sonnet])] == ["sonnet"]
    assert "sonnet" in [offer.name for offer in offers(MODELS, caller("claude/sonnet"), [sonnet])]


def test_a_model_is_found_by_any_of_its_names() -> None:
    offered = offers(MODELS, caller())

    assert offer_named("sonnet", offered).model.full_name == "claude/sonnet"
    with pytest.raises(NoSuchModel, match="qwen3"):
        offer_named("qwen3", offered)
