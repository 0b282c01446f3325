"""GET /v1/models: one door for OpenAI's clients and Anthropic's, who say so by `anthropic-version`.

Answered from the database: no client waits for a provider.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.v1.anthropic import models as anthropic_models
from app.v1.anthropic.models import LARGEST_PAGE, USUAL_PAGE
from app.v1.bodies import JsonAnswer
from app.v1.offers import offer_named, offers_to, usable
from app.v1.openai import models as openai_models
from app.v1.refusing import in_the_callers_words, speaks_anthropic
from app.v1.speaking import speaking

router = APIRouter(prefix="/v1", tags=["Models for programs"], route_class=speaking(in_the_callers_words))


@router.get("/models")
async def list_models(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="For Anthropic's clients.")] = USUAL_PAGE,
    after_id: Annotated[str, Query(description="For Anthropic's clients: the page behind this model.")] = "",
    before_id: Annotated[str, Query(description="For Anthropic's clients: the page before it.")] = "",
) -> JsonAnswer:
    """List the models that your key may use

    In OpenAI's shape; in Anthropic's, page by page, with the header `anthropic-version`.
    """
    offered = usable(await offers_to(request))
    if speaks_anthropic(request):
        return JsonAnswer(anthropic_models.page(offered, limit, after_id, before_id))
    return JsonAnswer(openai_models.listing(offered))


@router.get("/models/{model_id:path}")
async def show_model(model_id: str, request: Request) -> JsonAnswer:
    """Show one model"""
    offer = offer_named(model_id, await offers_to(request))
    say = anthropic_models.document if speaks_anthropic(request) else openai_models.document
    return JsonAnswer(say(offer))
