"""Documents that come whole."""

from collections.abc import Mapping

from app.values import value

LARGEST_DOCUMENT = 64_000_000
"""Bytes. The largest are embeddings: 2,000 vectors of 1,536 numbers, written out, come close."""


class DocumentTooLarge(Exception):
    """No list of models and no answer is as large."""


@value
class Document:
    """An answer of any status; how the names of `headers` are written does not matter."""

    status: int
    headers: Mapping[str, str]
    body: bytes
