"""A response in OpenAI's own words that broke off, or was cut off: what it ends with speaks of the same response."""

import re

import orjson

from app.providers.untrusted import object_at, parsed
from app.v1.openai import responses_document
from app.v1.surface import Answer, Failure, Json

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
        return self._last_event("response.failed", response)

    def ended(self, answer: Answer, otherwise: Json) -> bytes:
        """Where the answer ends before OpenAI has ended it."""
        status = responses_document.status_of(answer)
        response = responses_document.ended(self._response() or otherwise, answer, [])
        return self._last_event(f"response.{status}", response)

    def _last_event(self, kind: str, response: Json) -> bytes:
        number = max(map(int, NUMBER.findall(self._last)), default=0) + 1
        document = orjson.dumps({"type": kind, "response": response, "sequence_number": number})
        return b"event: " + kind.encode() + b"\ndata: " + document + b"\n\n"

    def _response(self) -> Json | None:
        """As it was when it began."""
        for line in self._first.split(b"\n"):
            if line.startswith(b"data:"):
                return object_at(parsed(line[5:]) or {}, "response") or None
        return None
