"""Ollama's doors."""

from fastapi import APIRouter, Request

from app.accounts.access import caller_of
from app.catalog.loaded import models_in_memory
from app.core.database import database_of
from app.providers.passage import Dialect
from app.v1.bodies import JsonAnswer, json_of
from app.v1.conversing import Conversing
from app.v1.embedding import embedded, embedder
from app.v1.express import Stop
from app.v1.fields import Fields
from app.v1.offers import offer_named, offers_to, usable
from app.v1.ollama import answers, description, models
from app.v1.ollama.reading import embedding_in, old_embedding_in
from app.v1.ollama.surfaces import CHAT, GENERATION, envelope
from app.v1.speaking import speaking
from app.v1.surface import Failure, Json


def _in_ollamas_words(_request: Request, failure: Failure) -> Json:
    return envelope(failure)


router = APIRouter(prefix="/ollama/api", tags=["Ollama's clients"], route_class=speaking(_in_ollamas_words))

STOPS = (
    Stop("/ollama/api/chat", CHAT, Dialect.OLLAMA_CHAT),
    Stop("/ollama/api/generate", GENERATION, Dialect.OLLAMA_GENERATION),
)


@router.post("/chat", openapi_extra=description.CHAT)
async def chat(request: Request) -> Conversing:
    """Answer a conversation"""
    return Conversing(request, CHAT, Dialect.OLLAMA_CHAT)


@router.post("/generate", openapi_extra=description.GENERATE)
async def generate(request: Request) -> Conversing:
    """Answer a prompt"""
    return Conversing(request, GENERATION, Dialect.OLLAMA_GENERATION)


@router.post("/embed", openapi_extra=description.EMBED)
async def embed(request: Request) -> JsonAnswer:
    """Make vectors of texts"""
    caller = await embedder(request)
    asked = embedding_in(await json_of(request))
    found = await embedded(request, caller, asked)
    return JsonAnswer(answers.embedded(asked, found.embeddings, found.receipt.total_ms))


@router.post("/embeddings", openapi_extra=description.EMBEDDINGS)
async def embed_as_before(request: Request) -> JsonAnswer:
    """Make a vector of one text"""
    caller = await embedder(request)
    found = await embedded(request, caller, old_embedding_in(await json_of(request)))
    return JsonAnswer(answers.embedded_as_before(found.embeddings))


@router.get("/tags", openapi_extra=description.TAGS)
async def list_models(request: Request) -> JsonAnswer:
    """List the models that your key may use"""
    offered = usable(await offers_to(request))
    return JsonAnswer(models.tags(offer.model for offer in offered if offer.name == offer.model.full_name))


@router.post("/show", openapi_extra=description.SHOW)
async def show_model(request: Request) -> JsonAnswer:
    """Show what a model can do"""
    offered = await offers_to(request)
    asked = Fields(await json_of(request))
    # Older clients call it `name`.
    name = asked.text("model") or asked.needed_text("name")
    return JsonAnswer(models.shown(offer_named(name, offered).model))


@router.get("/ps", openapi_extra=description.PS)
async def list_loaded_models(request: Request) -> JsonAnswer:
    """List the models that local servers hold in memory"""
    caller = await caller_of(request)
    held = await models_in_memory(database_of(request), request.app.state.providers, caller.user_id)
    return JsonAnswer(models.in_memory(each for each in held if caller.may_use(each.model.full_name)))


@router.get("/version", openapi_extra=description.VERSION)
async def show_version(request: Request) -> JsonAnswer:
    """Tell which Ollama's interface this is"""
    await caller_of(request)
    return JsonAnswer({"version": models.VERSION})
