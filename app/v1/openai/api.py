"""OpenAI's doors beside the list of models."""

from fastapi import APIRouter, Request

from app.providers.passage import Dialect
from app.v1.bodies import JsonAnswer, json_of
from app.v1.conversing import Conversing
from app.v1.embedding import embedded, embedder
from app.v1.express import Stop
from app.v1.openai import description, embeddings, errors
from app.v1.openai.chat import ChatCompletions
from app.v1.openai.completions import Completions
from app.v1.openai.responses import Responses
from app.v1.speaking import speaking
from app.v1.surface import BadRequest, Failure, Json

CHAT, COMPLETIONS, RESPONSES = ChatCompletions(), Completions(), Responses()
STOPS = (
    Stop("/v1/chat/completions", CHAT, Dialect.OPENAI_CHAT),
    Stop("/v1/completions", COMPLETIONS, Dialect.OPENAI_COMPLETIONS),
    Stop("/v1/responses", RESPONSES, Dialect.OPENAI_RESPONSES),
)


def _in_openais_words(_request: Request, failure: Failure) -> Json:
    return errors.envelope(failure)


router = APIRouter(prefix="/v1", tags=["OpenAI's clients"], route_class=speaking(_in_openais_words))


@router.post("/chat/completions", openapi_extra=description.CHAT)
async def create_chat_completion(request: Request) -> Conversing:
    """Answer a conversation"""
    return Conversing(request, CHAT, Dialect.OPENAI_CHAT)


@router.post("/completions", openapi_extra=description.COMPLETIONS)
async def create_completion(request: Request) -> Conversing:
    """Continue a prompt"""
    return Conversing(request, COMPLETIONS, Dialect.OPENAI_COMPLETIONS)


@router.post("/responses", openapi_extra=description.RESPONSES)
async def create_response(request: Request) -> Conversing:
    """Answer a conversation, in items"""
    return Conversing(request, RESPONSES, Dialect.OPENAI_RESPONSES)


@router.post("/embeddings", openapi_extra=description.EMBEDDINGS)
async def create_embeddings(request: Request) -> JsonAnswer:
    """Make vectors of texts"""
    caller = await embedder(request)
    asked = embeddings.read(await json_of(request))
    if asked.beyond:
        raise BadRequest(f"{asked.beyond[0]}: cannot be passed on. Leave it out.", asked.beyond[0])
    found = await embedded(request, caller, asked.request)
    return JsonAnswer(embeddings.whole(asked, found.embeddings, found.receipt.usage.input))
