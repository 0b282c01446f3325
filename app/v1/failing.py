"""Why a call failed, as every surface can say it. A provider's own 401 is never said as if the caller's key were bad."""

from math import ceil

from app.core.database_errors import TOLD, told
from app.core.errors import Broken, Invalid, ParleyError, unforeseen
from app.providers.errors import ProviderError, RequestRefused
from app.v1.surface import BadRequest, Failure

STATUSES = {
    "model_not_usable": 404,
    "invalid": 400,
    # Of providers:
    "context_too_long": 400,
    "model_gone": 404,
    "overloaded": 503,
    "rate_limited": 429,
    "request_refused": 400,
    "timed_out": 504,
}
"""By code, where programs expect another than people's pages."""
OF_PROVIDERS = 502
"""Whatever else went wrong behind us."""
PASSING = frozenset({408, 429, 503, 504})
"""Statuses that may be another's in a moment, unless nobody says when."""
SECONDS_THAT_CLIENTS_WAIT = 60
"""Libraries of vendors wait no longer before they try again: a budget that begins anew next month is not for them."""


def failure_of(error: Exception, request_id: str) -> Failure:
    """What is said of `error`, whatever it is; of what nobody foresaw the log tells, too."""
    if isinstance(error, ProviderError):
        return Failure(
            status=STATUSES.get(error.code, OF_PROVIDERS),
            code=error.code,
            message=str(error),
            parameter=error.parameter if isinstance(error, RequestRefused) else None,
            retry_after=error.retry_after,
            is_final=not (error.retryable and _is_soon(error.retry_after or 0)),
            request_id=request_id,
        )
    if not isinstance(error, ParleyError):
        error = told(error) if isinstance(error, TOLD) else unforeseen(error)
    status = STATUSES.get(error.code, error.status)
    return Failure(
        status=status,
        code=error.code,
        message=error.message,
        parameter=_parameter(error),
        retry_after=error.retry_after,
        is_final=not (isinstance(error, Broken) or _passes(status, error.retry_after)),
        request_id=request_id,
    )


def headers_of(failure: Failure) -> dict[str, str]:
    headers = {"x-should-retry": "false"} if failure.is_final else {}
    if failure.retry_after is not None:
        headers["retry-after"] = str(ceil(failure.retry_after))
    if failure.status == 401:
        headers["www-authenticate"] = 'Bearer realm="Parley"'
    return headers


def _passes(status: int, retry_after: float | None) -> bool:
    return status in PASSING and retry_after is not None and _is_soon(retry_after)


def _is_soon(seconds: float) -> bool:
    return seconds <= SECONDS_THAT_CLIENTS_WAIT


def _parameter(error: ParleyError) -> str | None:
    if isinstance(error, BadRequest):
        return error.parameter
    return error.field if isinstance(error, Invalid) else None
