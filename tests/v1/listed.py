"""Models as the catalog lists them, and whoever asks for them."""

from datetime import UTC, datetime

from app.accounts.callers import Caller
from app.catalog.listing import ListedModel

FOUND_AT = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def model(full_name: str, *abilities: str, window: int | None = 8_192) -> ListedModel:
    connection, _, name = full_name.partition("/")
    return ListedModel(connection, name, name.title(), FOUND_AT, window, None, abilities)


def caller(*allowed: str) -> Caller:
    return Caller("u1", "bob", "Bob", is_administrator=False, allowed_models=frozenset(allowed))
