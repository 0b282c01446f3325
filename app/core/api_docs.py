"""The JSON doors, described: an OpenAPI document for programs, and a page made of it for people."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from app.core.templating import page

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
ABOUT = (
    "Send a personal key, made under Settings, as `Authorization: Bearer …` or `x-api-key: …`. Errors are "
    'always `{"error": {"code", "message"}}`: a code that stays, and a sentence that says what to do.'
)
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A personal key."},
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "A personal key."},
}
ERRORS = {
    "400": "The request cannot be read.",
    "401": "No valid key or session came with the request.",
    "403": "The key or the account may not do this, or the request came from another site.",
    "404": "There is nothing here, or it is not yours.",
    "409": "It changed in the meantime.",
    "413": "The request is too large.",
    "422": "What was sent does not fit.",
    "429": "Too many requests; `Retry-After` says when to come back.",
    "503": "Not available right now.",
}

router = APIRouter(include_in_schema=False)


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="Machine-readable, and stable.")
    message: str = Field(description="A sentence for a person: what happened, and what to do.")
    field: str | None = Field(None, description="The part of the request that it is about.")


class ErrorEnvelope(BaseModel):
    """Every error has this shape."""

    error: ErrorDetail


@dataclass(frozen=True)
class FieldDoc:
    name: str
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class OperationDoc:
    """One thing that can be done, as the page shows it."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[FieldDoc]
    body: list[FieldDoc]
    answers: list[tuple[str, str, list[FieldDoc]]]
    """Status, description and fields of each answer that is no error."""


def install(app: FastAPI) -> None:
    """Serve `/openapi.json` with our errors and keys, and `/docs`."""
    app.include_router(router)

    def openapi() -> Json:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
            app.openapi_schema = _completed(document)
        return app.openapi_schema

    # FastAPI's documented way to extend it.
    app.openapi = openapi  # type: ignore[method-assign]


@router.get("/docs")
async def show_docs(request: Request) -> HTMLResponse:
    document: Json = request.app.openapi()
    return page(request, "docs/api.html", groups=_groups(document))


def _completed(document: Json) -> Json:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    envelope = ErrorEnvelope.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= envelope.pop("$defs") | {"ErrorEnvelope": envelope}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["securitySchemes"] = SECURITY
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/api/"):
                _complete(operation)
    return document


def _complete(operation: Json) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}}
    operation["security"] = [{name: []} for name in SECURITY]
    for status, description in ERRORS.items():
        operation["responses"][status] = {"description": description, "content": content}


def _groups(document: Json) -> dict[str, list[OperationDoc]]:
    groups: dict[str, list[OperationDoc]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                title = (operation.get("tags") or ["Service"])[0]
                groups.setdefault(title, []).append(_operation(document, method, path, operation))
    return groups


def _operation(document: Json, method: str, path: str, operation: Json) -> OperationDoc:
    summary, _, rest = operation.get("description", "").partition("\n")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return OperationDoc(
        method=method.upper(),
        path=path,
        summary=summary or operation.get("summary", ""),
        description=rest.strip(),
        parameters=[
            FieldDoc(
                parameter["name"],
                _type(parameter["schema"]),
                parameter.get("required", False),
                parameter.get("description", parameter["in"]),
            )
            for parameter in operation.get("parameters", [])
        ],
        body=_fields(document, body),
        answers=[
            (status, answer["description"], _fields(document, _schema_of(answer)))
            for status, answer in operation["responses"].items()
            if status.startswith("2")
        ],
    )


def _schema_of(answer: Json) -> Json | None:
    schema: Json | None = answer.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _fields(document: Json, schema: Json | None) -> list[FieldDoc]:
    if schema is None:
        return []
    if "items" in schema:
        return _fields(document, schema["items"])
    named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    required = named.get("required", [])
    return [
        FieldDoc(name, _type(part), name in required, part.get("description", ""))
        for name, part in named.get("properties", {}).items()
    ]


def _type(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " · ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))
