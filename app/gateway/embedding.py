"""Embeddings through the same gate as answers: found, allowed, metered and entered in the ledger."""

from dataclasses import dataclass

from app.gateway.metering import Receipt
from app.providers.base import EmbeddingRequest, Embeddings, Role, Turn


@dataclass(frozen=True)
class EmbeddingCall:
    """Who asks for which vectors; the request's model is any name of one. `origin`: what for, such as `api`."""

    user_id: str
    request: EmbeddingRequest
    origin: str
    api_key_id: str | None = None
    allowed_models: frozenset[str] = frozenset()
    """What the key is kept to; empty: everything that the person may use."""


@dataclass(frozen=True)
class Embedded:
    """The vectors, which model made them (`connection/model`), and what that used."""

    embeddings: Embeddings
    model: str
    receipt: Receipt


def as_turns(request: EmbeddingRequest) -> tuple[Turn, ...]:
    """What is read, for whoever counts tokens."""
    return tuple(Turn(Role.USER, text) for text in request.texts)
