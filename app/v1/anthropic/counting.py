"""How many tokens a request is, before it is asked: an estimate, for clients that watch their context."""

import orjson

from app.providers.base import Request, Tool
from app.usage.estimates import tokens_in, tokens_in_turns


def counted(request: Request) -> dict[str, int]:
    """The answer of `POST /v1/messages/count_tokens`."""
    tools = sum(_tokens_in_tool(tool) for tool in request.tools)
    return {"input_tokens": tokens_in_turns(request.turns) + tools}


def _tokens_in_tool(tool: Tool) -> int:
    schema = orjson.dumps(tool.parameters).decode()
    return tokens_in(tool.name) + tokens_in(tool.description) + tokens_in(schema)
