"""The names by which a caller may ask for models: `connection/model`, and the model's own where it is unique."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.accounts.callers import Caller
from app.catalog.listing import ListedModel


@dataclass(frozen=True)
class Offer:
    """A model under one of its names."""

    name: str
    model: ListedModel


def offers(models: Iterable[ListedModel], caller: Caller) -> list[Offer]:
    """Full names first. What the caller's key is not made for is left out."""
    models = list(models)
    bare = Counter(model.name for model in models)
    full = [Offer(model.full_name, model) for model in models]
    short = [Offer(model.name, model) for model in models if bare[model.name] == 1]
    return [offer for offer in full + short if _is_allowed(offer, caller)]


def offer_named(name: str, models: Iterable[ListedModel], caller: Caller) -> Offer | None:
    return next((offer for offer in offers(models, caller) if offer.name == name), None)


def _is_allowed(offer: Offer, caller: Caller) -> bool:
    return caller.may_use(offer.name) or caller.may_use(offer.model.full_name)
