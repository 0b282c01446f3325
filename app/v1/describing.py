"""Describes the doors of vendors' clients for /docs: bodies are read by hand, so what they hold is told by hand."""

from collections.abc import Mapping

from app.v1.surface import Json

Properties = Mapping[str, Json]


def text(description: str, **more: object) -> Json:
    return {"type": "string", "description": description, **more}


def number(description: str, **more: object) -> Json:
    return {"type": "number", "description": description, **more}


def count(description: str, **more: object) -> Json:
    return {"type": "integer", "description": description, **more}


def flag(description: str, **more: object) -> Json:
    return {"type": "boolean", "description": description, **more}


def thing(description: str, properties: Properties | None = None) -> Json:
    return {"type": "object", "description": description, "properties": dict(properties or {})}


def texts(description: str) -> Json:
    return listed(description, {"type": "string"})


def listed(description: str, item: Json) -> Json:
    return {"type": "array", "items": item, "description": description}


def things(description: str, properties: Properties | None = None) -> Json:
    return listed(description, {"type": "object", "properties": dict(properties or {})})


def either(description: str, *kinds: Json) -> Json:
    return {"anyOf": list(kinds), "description": description}


def operation(
    answer: Properties,
    body: Properties | None = None,
    needed: tuple[str, ...] = (),
    streams: str | None = None,
) -> Json:
    """For `openapi_extra`: what is sent and what comes back. `streams` is the media type of a streamed answer."""
    content: Json = {"application/json": {"schema": thing("", answer)}}
    if streams:
        content[streams] = {"schema": {"type": "string"}}
    told: Json = {"responses": {"200": {"description": "The answer.", "content": content}}}
    if body is not None:
        schema = thing("", body) | {"required": list(needed)}
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told
