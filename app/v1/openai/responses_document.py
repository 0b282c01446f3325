"""A response as a document: what was asked for, what came of it, and how it ended."""

from collections.abc import Mapping
from typing import Any, Literal

from app.providers.events import FinishReason
from app.v1.fields import Fields
from app.v1.openai import errors
from app.v1.openai.usage import usage_of_response
from app.v1.surface import Answer, Failure, Json

Status = Literal["in_progress", "completed", "incomplete", "failed"]

INCOMPLETE = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
}

KNOWN_CODES = frozenset({"context_length_exceeded", "insufficient_quota", "rate_limit_exceeded"})
"""Clients decide by them whether to shorten, to wait or to give up."""


def echo_of(asked: Fields) -> Json:
    """What of a request its response repeats."""
    given, labels = asked.values, asked.child("metadata")
    return {
        "background": False,
        "instructions": given.get("instructions"),
        "max_output_tokens": given.get("max_output_tokens"),
        "metadata": labels.values if labels else {},
        "parallel_tool_calls": given.get("parallel_tool_calls") is not False,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None} | (given.get("reasoning") or {}),
        "service_tier": "default",
        "store": False,
        "temperature": given.get("temperature"),
        "text": {"format": {"type": "text"}} | (given.get("text") or {}),
        "tool_choice": given.get("tool_choice") or "auto",
        "tools": given.get("tools") or [],
        "top_p": given.get("top_p"),
        "truncation": "disabled",
        "user": given.get("user"),
    }


def begun(answer: Answer, echo: Mapping[str, Any]) -> Json:
    """A response of which nothing has come yet."""
    return {
        "id": f"resp_{answer.id}",
        "object": "response",
        "created_at": answer.created,
        "status": "in_progress",
        "model": answer.model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "usage": None,
        **echo,
    }


def ended(response: Json, answer: Answer, output: list[Json]) -> Json:
    """A response that came to its end, though perhaps to one that it did not choose."""
    reason = INCOMPLETE.get(answer.finish)
    return response | {
        "status": status_of(answer),
        "completed_at": None if reason else answer.created + answer.total_ms // 1000,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": usage_of_response(answer.usage),
    }


def failed(response: Json, failure: Failure, output: list[Json]) -> Json:
    error = {"code": _error_code(failure), "message": failure.message}
    return response | {"status": "failed", "error": error, "output": output}


def _error_code(failure: Failure) -> str:
    """Responses know few codes."""
    code = errors.code_of(failure)
    if code in KNOWN_CODES:
        return code
    return "server_error" if failure.status >= 500 else "invalid_prompt"


def status_of(answer: Answer) -> Status:
    return "incomplete" if answer.finish in INCOMPLETE else "completed"
