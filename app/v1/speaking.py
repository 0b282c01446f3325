"""Doors for programs: whatever goes wrong behind one is said in the words of whoever called."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.logs import REQUEST_ID
from app.v1.bodies import JsonAnswer
from app.v1.failing import failure_of, headers_of
from app.v1.surface import BadRequest, Failure, Json

NAME_OF_IDS = "request-id"
"""Under which Anthropic's libraries look; others find `x-request-id`."""

Envelope = Callable[[Request, Failure], Json]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def speaking(envelope: Envelope) -> type[APIRoute]:
    """The kind of route whose errors are put into `envelope`."""

    class SpeakingRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    response = await handle(request)
                except RequestValidationError as error:
                    response = refusal(_misread(error), partial(envelope, request))
                except HTTPException:
                    raise
                except Exception as error:  # noqa: BLE001  (further out, nobody speaks the client's language)
                    response = refusal(error, partial(envelope, request))
                response.headers[NAME_OF_IDS] = REQUEST_ID.get()
                return response

            return answer

    return SpeakingRoute


def refusal(error: Exception, say: Callable[[Failure], Json]) -> Response:
    """The answer that tells the caller about `error`."""
    failure = failure_of(error, REQUEST_ID.get())
    headers = {**headers_of(failure), NAME_OF_IDS: failure.request_id}
    return JsonAnswer(say(failure), failure.status, headers)


def _misread(error: RequestValidationError) -> BadRequest:
    # pydantic's own sentence, without the value that was sent.
    first = error.errors()[0]
    parameter = ".".join(str(part) for part in first["loc"][1:])
    return BadRequest(f"{parameter}: {first['msg']}.", parameter)
