"""Parley's own doors to models without a conversation: /api/generate and /api/embeddings."""

from fastapi import APIRouter, Request

from app.live.formats import format_for
from app.v1.bodies import JsonAnswer, json_of
from app.v1.conversing import Conversing
from app.v1.embedding import embedded, embedder
from app.v1.native import description
from app.v1.native.surfaces import Generation, envelope
from app.v1.openai import embeddings
from app.v1.speaking import speaking
from app.v1.surface import Failure, Json


def _in_our_words(_request: Request, failure: Failure) -> Json:
    return envelope(failure)


router = APIRouter(prefix="/api", tags=["Models"], route_class=speaking(_in_our_words))


@router.post("/generate", openapi_extra=description.GENERATE)
async def generate(request: Request) -> Conversing:
    """Answer one prompt, without a conversation

    With `Accept: text/event-stream` or `application/x-ndjson` the answer comes as it is written: `start`, `delta`
    and `thought` with `{"text"}`, then `done` with the whole answer, or `error`. A client that goes away ends it.
    """
    return Conversing(request, Generation(format_for(request.headers.get("accept", ""))))


@router.post("/embeddings", openapi_extra=description.EMBEDDINGS)
async def embed(request: Request) -> JsonAnswer:
    """Make vectors of texts"""
    caller = await embedder(request)
    asked = embeddings.read(await json_of(request))
    found = await embedded(request, caller, asked.request)
    usage = found.receipt.usage
    return JsonAnswer(
        {
            "model": found.model,
            "embeddings": found.embeddings.vectors,
            "input_tokens": usage.input,
            "tokens_are_estimated": found.receipt.is_estimate,
            "total_ms": found.receipt.total_ms,
        }
    )
