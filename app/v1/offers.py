"""The names by which a caller may ask for models: `connection/model`, aliases, and a model's own where it is unique."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import Request

from app.accounts.access import caller_of
from app.accounts.callers import Caller
from app.catalog.aliases_offered import ListedAlias, listed_aliases
from app.catalog.listing import ListedModel, listed_models
from app.core.database import database_of
from app.core.errors import NotFound


class NoSuchModel(NotFound):
    """No model has this name, or none that the caller may use."""

    code = "model_not_found"


@dataclass(frozen=True)
class Offer:
    """A model under one of its names. An alias is described by the first model that it stands for."""

    name: str
    model: ListedModel
    stands_for: tuple[str, ...] = ()
    """Of an alias: the full names of all models that may answer."""
    is_usable: bool = True
    """Whether it can answer, as far as was last heard."""


def offers(models: Iterable[ListedModel], caller: Caller, aliases: Sequence[ListedAlias] = ()) -> list[Offer]:
    """Full names first. What the caller's key is not made for is left out."""
    models = list(models)
    names = Counter(model.name for model in models) + Counter(alias.name for alias in aliases)
    full = [_offer(model.full_name, model) for model in models]
    named = [_offer_of(alias) for alias in aliases]
    short = [_offer(model.name, model) for model in models if names[model.name] == 1]
    return [offer for offer in full + named + short if _is_allowed(offer, caller)]


def offer_named(name: str, offered: Iterable[Offer]) -> Offer:
    """Raises NoSuchModel."""
    found = next((offer for offer in offered if offer.name == name), None)
    if found is None:
        raise NoSuchModel(
            f"There is no model “{name[:100]}” here that this key may use. Choose one from the list of models."
        )
    return found


async def offers_to(request: Request) -> list[Offer]:
    """What whoever sent this request may ask for. Raises what `caller_of` raises."""
    caller = await caller_of(request)
    async with database_of(request).reading() as session:
        models = await listed_models(session, caller.user_id)
        aliases = await listed_aliases(session, models)
    return offers(models, caller, aliases)


def usable(offered: Iterable[Offer]) -> list[Offer]:
    """What is worth listing. The others are answered for by their names: they may be well again."""
    return [offer for offer in offered if offer.is_usable]


def _offer(name: str, model: ListedModel) -> Offer:
    return Offer(name, model, is_usable=model.is_well)


def _offer_of(alias: ListedAlias) -> Offer:
    names = tuple(model.full_name for model in alias.models)
    return Offer(alias.name, alias.models[0], names, any(model.is_well for model in alias.models))


def _is_allowed(offer: Offer, caller: Caller) -> bool:
    return any(map(caller.may_use, (offer.name, offer.model.full_name, *offer.stands_for)))
