"""The list of models in Anthropic's words: `GET /v1/models`, page by page."""

from collections.abc import Sequence
from datetime import UTC

from app.v1.offers import Offer
from app.v1.surface import Json

USUAL_PAGE = 20
LARGEST_PAGE = 1_000


def document(offer: Offer) -> Json:
    model = offer.model
    return {
        "type": "model",
        "id": offer.name,
        "display_name": model.display_name,
        "created_at": model.found_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "max_input_tokens": model.context_window,
        "max_tokens": model.max_output_tokens,
    }


def page(offers: Sequence[Offer], limit: int = USUAL_PAGE, after: str = "", before: str = "") -> Json:
    """At most `limit` models behind the one called `after`, or right before the one called `before`.

    A name that nobody knows (any more) is the beginning, or the end.
    """
    names = [offer.name for offer in offers]
    start = names.index(after) + 1 if after in names else 0
    end = names.index(before) if before in names else len(names)
    rest = offers[start:end]
    shown = rest[-limit:] if before in names else rest[:limit]
    return {
        "data": [document(offer) for offer in shown],
        "has_more": len(shown) < len(rest),
        "first_id": shown[0].name if shown else None,
        "last_id": shown[-1].name if shown else None,
    }
