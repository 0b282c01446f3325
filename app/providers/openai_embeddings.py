"""Embeddings in OpenAI's words: the body of `POST /embeddings`, and what it is answered with."""

from app.providers.base import EmbeddingRequest, Embeddings
from app.providers.openai_answers import report_in
from app.providers.untrusted import Json, count_at, objects_at
from app.providers.vectors import all_of_one_length, vector_in


def embeddings_body(request: EmbeddingRequest) -> Json:
    body: Json = {"model": request.model, "input": list(request.texts)}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body


def embeddings_in(answer: Json, count: int) -> Embeddings | None:
    """The `count` vectors in `answer`, put in the order of the texts; None when they are not all there."""
    items = objects_at(answer, "data")
    if all(count_at(item, "index") is not None for item in items):
        items = sorted(items, key=lambda item: count_at(item, "index") or 0)
    vectors = all_of_one_length([vector_in(item.get("embedding")) for item in items], count)
    report = report_in(answer)
    return Embeddings(vectors, report.usage if report else None) if vectors is not None else None
