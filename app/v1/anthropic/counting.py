"""How many tokens a request is, before it is asked: for clients that watch their context."""

import orjson

from app.accounts.callers import Caller
from app.catalog.access import ModelNotUsable
from app.gateway.calls import Call, Gateway
from app.providers.base import Request, Tool
from app.usage.estimates import tokens_in, tokens_in_turns


async def counted(gateway: Gateway, caller: Caller, request: Request) -> dict[str, int]:
    """The answer of `POST /v1/messages/count_tokens`: as Anthropic counts for a model of its own, else an estimate."""
    call = Call(caller.user_id, request, "api", caller.api_key_id, allowed_models=caller.allowed_models)
    try:
        told = await gateway.count_tokens(call)
    except ModelNotUsable:
        # It is there, and cannot be called just now: what would be asked of it can be estimated all the same.
        told = None
    return {"input_tokens": estimate(request) if told is None else told}


def estimate(request: Request) -> int:
    tools = sum(_tokens_in_tool(tool) for tool in request.tools)
    return tokens_in_turns(request.turns) + tools


def _tokens_in_tool(tool: Tool) -> int:
    schema = orjson.dumps(tool.parameters).decode()
    return tokens_in(tool.name) + tokens_in(tool.description) + tokens_in(schema)
