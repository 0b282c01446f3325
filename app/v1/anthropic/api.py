"""Anthropic's doors; the list of models is `v1.models_api`'s."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import Scope, caller_of
from app.providers.passage import Dialect, Passage
from app.v1.anthropic import description, failures
from app.v1.anthropic.counting import counted
from app.v1.anthropic.messages import Messages
from app.v1.anthropic.reading import counted_in
from app.v1.bodies import JsonAnswer, json_of
from app.v1.conversing import Conversing, headers_of_dialect
from app.v1.express import Stop
from app.v1.offers import offer_named, offers_to
from app.v1.speaking import speaking
from app.v1.surface import Failure, Json


def _in_anthropics_words(_request: Request, failure: Failure) -> Json:
    return failures.envelope(failure)


MESSAGES = Messages()
STOPS = (Stop("/v1/messages", MESSAGES, Dialect.ANTHROPIC_MESSAGES),)

router = APIRouter(tags=["Anthropic's clients"], route_class=speaking(_in_anthropics_words))


@router.post("/v1/messages", openapi_extra=description.MESSAGES)
async def create_message(request: Request) -> Conversing:
    """Answer a conversation"""
    return Conversing(request, MESSAGES, Dialect.ANTHROPIC_MESSAGES)


@router.post("/v1/messages/count_tokens", openapi_extra=description.COUNT_TOKENS)
async def count_tokens(request: Request) -> JsonAnswer:
    """Tell how many tokens a request is"""
    caller = await caller_of(request)
    caller.require(Scope.CHAT)
    document = await json_of(request)
    asked = counted_in(document).request
    offer_named(asked.model, await offers_to(request))
    headers = headers_of_dialect(request, Dialect.ANTHROPIC_MESSAGES)
    passage = Passage(Dialect.ANTHROPIC_MESSAGES, document, headers=headers)
    return JsonAnswer(await counted(request.app.state.gateway, caller, replace(asked, passage=passage)))


@router.head("/", include_in_schema=False)
async def say_that_somebody_is_there() -> Response:
    """Anthropic's coding tools look before they ask."""
    return Response()
