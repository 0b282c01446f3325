"""What a provider says when it refuses, read from whichever shape it has.

One reader serves every vendor. Nearly all of them answer `{"error": {"message", "type", "code", "param"}}`
or a part of it, the rest `{"error": "…"}`, `{"detail": "…"}` or `{"message": "…"}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.providers.untrusted import Json, count_at, list_at, object_at, objects_at, parsed, text_at
from app.providers.wire.retrying import retry_after


@dataclass(frozen=True)
class Complaint:
    """`status` is None where none was given, as inside a stream; `codes` are the vendor's words for it."""

    status: int | None
    codes: frozenset[str] = frozenset()
    message: str = ""
    parameter: str | None = None
    retry_after: float | None = None
    is_json: bool = True
    in_stream: bool = False


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Complaint:
    """What an answer that is no success complains about. `headers` have names in lower case."""
    answer = parsed(body)
    described = next(iter(objects_at(answer or {}, "data")), answer)
    found = _described(described) if described is not None else Complaint(None)
    return Complaint(
        status,
        found.codes,
        found.message,
        found.parameter,
        retry_after(headers),
        is_json=answer is not None,
    )


def complaint_in(event: Json) -> Complaint | None:
    """What an event inside a stream complains about, if it does."""
    if event.get("error"):
        return replace(_described(event), in_stream=True)
    groq_error = text_at(object_at(event, "x_groq"), "error")
    return Complaint(None, message=groq_error, in_stream=True) if groq_error else None


def _described(answer: Json) -> Complaint:
    error = object_at(answer, "error") or answer
    details = object_at(error, "details")
    # Google lists what its errors are about.
    reasons = (text_at(detail, "reason") for detail in objects_at(error, "details"))
    codes = (text_at(error, "code"), text_at(error, "type"), text_at(details, "error_code"), *reasons)
    message = (
        text_at(error, "message")
        or text_at(answer, "error")
        or text_at(answer, "detail")
        or "; ".join(_objection(item) for item in objects_at(answer, "detail"))
    )
    return Complaint(
        _status_in(error),
        frozenset(code for code in codes if code),
        message,
        text_at(error, "param") or None,
    )


def _status_in(error: Json) -> int | None:
    """OpenRouter and vLLM put an HTTP status into `code`, also inside a stream."""
    code = count_at(error, "code")
    return code if code is not None and 400 <= code < 600 else None


def _objection(item: Json) -> str:
    """One item of FastAPI's list of what is wrong with a request."""
    place = ".".join(str(step) for step in list_at(item, "loc"))
    return f"{place}: {text_at(item, 'msg')}"
