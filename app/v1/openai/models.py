"""The list of models: `GET /v1/models`."""

from collections.abc import Iterable

from app.v1.offers import Offer
from app.v1.surface import Json


def document(offer: Offer) -> Json:
    """What is not known of a model is left out."""
    model = offer.model
    known = {"context_window": model.context_window, "max_completion_tokens": model.max_output_tokens}
    return {
        "id": offer.name,
        "object": "model",
        "created": int(model.found_at.timestamp()),
        "owned_by": model.connection,
    } | {name: value for name, value in known.items() if value is not None}


def listing(offered: Iterable[Offer]) -> Json:
    return {"object": "list", "data": [document(offer) for offer in offered]}
