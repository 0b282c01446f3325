"""Arguments of tool calls: text as models write it, an object as some vendors' clients want it."""

import orjson

from app.providers.untrusted import parsed
from app.v1.surface import Json

INVALID_JSON = "INVALID_JSON"
"""Where Anthropic tells its clients to put what a model wrote badly; nothing of it is lost on the way back."""


def as_object(arguments: str) -> Json:
    if not arguments.strip():
        return {}
    understood = parsed(arguments) if arguments.lstrip().startswith("{") else None
    return {INVALID_JSON: arguments} if understood is None else understood


def as_text(arguments: Json) -> str:
    written_badly = arguments.get(INVALID_JSON)
    if len(arguments) == 1 and isinstance(written_badly, str):
        return written_badly
    return orjson.dumps(arguments).decode()
