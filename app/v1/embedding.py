"""Embeddings of a program: the same for every language in which they are asked for."""

from starlette.requests import Request

from app.accounts.access import Scope, caller_of
from app.accounts.callers import Caller
from app.gateway.calls import Gateway
from app.gateway.embedding import Embedded, EmbeddingCall
from app.providers.base import EmbeddingRequest


async def embedder(request: Request) -> Caller:
    """Who asks: before anything is read, so that strangers learn nothing. Raises NotSignedIn or ScopeMissing."""
    caller = await caller_of(request)
    caller.require(Scope.EMBEDDINGS)
    return caller


async def embedded(request: Request, caller: Caller, wanted: EmbeddingRequest) -> Embedded:
    """The vectors. Raises a ParleyError or a ProviderError."""
    gateway: Gateway = request.app.state.gateway
    route = await gateway.routes(caller.user_id, wanted.model)
    caller.require_model(wanted.model, *route.full_names)
    call = EmbeddingCall(caller.user_id, wanted, "api", caller.api_key_id, caller.allowed_models)
    return await gateway.embed(call)
