"""Doors for programs: whatever goes wrong behind one is said in the words of whoever called."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.core.database_errors import TOLD, told
from app.core.errors import ParleyError, unforeseen
from app.logs import REQUEST_ID
from app.providers.errors import ProviderError
from app.v1.bodies import JsonAnswer
from app.v1.failing import failure_of, headers_of
from app.v1.surface import BadRequest, Failure, Json

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
                except (ParleyError, ProviderError) as error:
                    response = _refusal(request, error, envelope)
                except RequestValidationError as error:
                    response = _refusal(request, _misread(error), envelope)
                except HTTPException:
                    raise
                except Exception as error:  # noqa: BLE001  (further out, nobody speaks the client's language)
                    known = told(error) if isinstance(error, TOLD) else unforeseen(error)
                    response = _refusal(request, known, envelope)
                # The name that Anthropic's libraries look under; others find `x-request-id`.
                response.headers["request-id"] = REQUEST_ID.get()
                return response

            return answer

    return SpeakingRoute


def _refusal(request: Request, error: ParleyError | ProviderError, envelope: Envelope) -> Response:
    failure = failure_of(error, REQUEST_ID.get())
    return JsonAnswer(envelope(request, failure), failure.status, headers_of(failure))


def _misread(error: RequestValidationError) -> BadRequest:
    # pydantic's own sentence, without the value that was sent.
    first = error.errors()[0]
    parameter = ".".join(str(part) for part in first["loc"][1:])
    return BadRequest(f"{parameter}: {first['msg']}.", parameter)
