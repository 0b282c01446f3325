"""The list of models: `GET /v1/models`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.v1.surface import Json


@dataclass(frozen=True)
class ListedModel:
    """A model under a name by which clients may ask for it: `connection/model`, its own, or an alias."""

    name: str
    owner: str
    """The connection that offers it."""
    found_at: datetime
    context_window: int | None = None
    max_output_tokens: int | None = None


def document(model: ListedModel) -> Json:
    """What is not known of a model is left out."""
    known = {"context_window": model.context_window, "max_completion_tokens": model.max_output_tokens}
    return {
        "id": model.name,
        "object": "model",
        "created": int(model.found_at.timestamp()),
        "owned_by": model.owner,
    } | {name: value for name, value in known.items() if value is not None}


def listing(models: Iterable[ListedModel]) -> Json:
    return {"object": "list", "data": [document(model) for model in models]}
