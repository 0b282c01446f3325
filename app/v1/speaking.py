"""Doors for programs: whatever goes wrong behind one is said in the words of whoever called."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.core.errors import Invalid, ParleyError
from app.v1.bodies import JsonAnswer
from app.v1.surface import BadRequest, Failure, Json

Envelope = Callable[[Request, Failure], Json]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

STATUSES = {"model_not_usable": 404, "invalid": 400}
"""By code, where programs expect another than people's pages."""
PASSING = frozenset({408, 429, 503, 504})
"""Statuses that may be another's in a moment, unless nobody says when."""


def speaking(envelope: Envelope) -> type[APIRoute]:
    """The kind of route whose errors are put into `envelope`."""

    class SpeakingRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    response = await handle(request)
                except ParleyError as error:
                    response = _refusal(request, failure_of(error), envelope)
                except RequestValidationError as error:
                    response = _refusal(request, failure_of(_misread(error)), envelope)
                # The name that Anthropic's libraries look under; others find `x-request-id`.
                response.headers["request-id"] = request_id()
                return response

            return answer

    return SpeakingRoute


def failure_of(error: ParleyError) -> Failure:
    """An error of ours, as every surface can say it."""
    status = STATUSES.get(error.code, error.status)
    return Failure(
        status=status,
        code=error.code,
        message=error.message,
        parameter=_parameter(error),
        retry_after=error.retry_after,
        is_final=error.retry_after is None or status not in PASSING,
        request_id=request_id(),
    )


def request_id() -> str:
    """The id of the request that is being served; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def _refusal(request: Request, failure: Failure, envelope: Envelope) -> Response:
    headers = {"x-should-retry": "false"} if failure.is_final else {}
    if failure.retry_after is not None:
        headers["retry-after"] = str(failure.retry_after)
    if failure.status == 401:
        headers["www-authenticate"] = 'Bearer realm="Parley"'
    return JsonAnswer(envelope(request, failure), failure.status, headers)


def _parameter(error: ParleyError) -> str | None:
    if isinstance(error, BadRequest):
        return error.parameter
    return error.field if isinstance(error, Invalid) else None


def _misread(error: RequestValidationError) -> BadRequest:
    # pydantic's own sentence, without the value that was sent.
    first = error.errors()[0]
    parameter = ".".join(str(part) for part in first["loc"][1:])
    return BadRequest(f"{parameter}: {first['msg']}.", parameter)
