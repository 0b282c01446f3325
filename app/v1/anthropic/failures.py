"""An error in Anthropic's words. Its types are those that its client libraries and tools know."""

from app.v1.surface import Failure, Json

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "invalid_request_error",
    413: "request_too_large",
    415: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
TYPES_OF_CODES = {"budget_exceeded": "billing_error", "overloaded": "overloaded_error"}
"""Where the status alone would promise too much: no waiting cures a budget that is spent."""
OTHER = "api_error"


def envelope(failure: Failure) -> Json:
    """`code` and `parameter` of ours stand beside what Anthropic's own errors say."""
    error = {"type": error_type(failure), "message": failure.message, "code": failure.code}
    if failure.parameter:
        error["parameter"] = failure.parameter
    return {"type": "error", "error": error, "request_id": failure.request_id or None}


def error_type(failure: Failure) -> str:
    return TYPES_OF_CODES.get(failure.code) or TYPES.get(failure.status, OTHER)
