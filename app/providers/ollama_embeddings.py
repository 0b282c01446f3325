"""Embeddings in Ollama's words: the body of `POST /api/embed`, and what it is answered with."""

from app.providers.base import EmbeddingRequest, Embeddings
from app.providers.events import Usage
from app.providers.untrusted import Json, if_credible, list_at, tokens_at
from app.providers.vectors import all_of_one_length, vector_in


def embeddings_body(request: EmbeddingRequest) -> Json:
    body: Json = {
        "model": request.model,
        "input": list(request.texts),
        # An error is better than the vector of half a text.
        "truncate": False,
    }
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body


def embeddings_in(answer: Json, count: int) -> Embeddings | None:
    """The `count` vectors in `answer`; None when they are not all there."""
    vectors = all_of_one_length([vector_in(item) for item in list_at(answer, "embeddings")], count)
    return Embeddings(vectors, _usage_in(answer)) if vectors is not None else None


@if_credible
def _usage_in(answer: Json) -> Usage:
    # The count is left out when it is 0.
    return Usage(input=tokens_at(answer, "prompt_eval_count") or 0, output=0)
