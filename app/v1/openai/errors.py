"""Failures in OpenAI's envelope, with its types and codes: clients decide by them what to do next."""

from app.v1.surface import Failure, Json

TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    409: "invalid_request_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "requests",
}
"""By status; every other is the server's."""

CODES = {
    "budget_exceeded": "insufficient_quota",
    "context_too_long": "context_length_exceeded",
    "forbidden": "permission_denied",
    "model_gone": "model_not_found",
    "model_not_usable": "model_not_found",
    "not_signed_in": "invalid_api_key",
    "rate_limited": "rate_limit_exceeded",
    "request_refused": "invalid_request_error",
    "too_many_requests": "rate_limit_exceeded",
}
"""Ours in OpenAI's words; the others are said as they are."""

PARAMETERS = {"model_not_found": "model", "context_length_exceeded": "messages"}


def envelope(failure: Failure) -> Json:
    code = code_of(failure)
    return {
        "error": {
            "message": failure.message,
            "type": code if code == "insufficient_quota" else TYPES.get(failure.status, "server_error"),
            "param": failure.parameter or PARAMETERS.get(code),
            "code": code,
        }
    }


def code_of(failure: Failure) -> str:
    return CODES.get(failure.code, failure.code)
