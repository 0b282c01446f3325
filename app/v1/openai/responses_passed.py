"""A response in OpenAI's own words that broke off: what it ends with speaks of the same response."""

import re

import orjson

from app.providers.untrusted import object_at, parsed
from app.v1.openai import responses_document
from app.v1.surface import Failure, Json

NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d+)')


class PassedResponse:
    """What was passed on, as far as its ending needs it. On the hot path: nothing is read before it breaks off."""

    def __init__(self) -> None:
        self._first = b""
        self._last = b""

    def take(self, piece: bytes) -> None:
        self._first = self._first or piece
        self._last = piece

    def failed(self, failure: Failure, otherwise: Json) -> bytes:
        """`otherwise` is the response where OpenAI's own words do not tell of it."""
        response = responses_document.failed(self._response() or otherwise, failure, [])
        number = max(map(int, NUMBER.findall(self._last)), default=0) + 1
        document = {"type": "response.failed", "response": response, "sequence_number": number}
        return b"event: response.failed\ndata: " + orjson.dumps(document) + b"\n\n"

    def _response(self) -> Json | None:
        """As it was when it began."""
        for line in self._first.split(b"\n"):
            if line.startswith(b"data:"):
                return object_at(parsed(line[5:]) or {}, "response") or None
        return None
