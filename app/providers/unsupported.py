"""What a vendor has no word for: refused before anything is sent, or left out where the client allows it.

Errors name a parameter as OpenAI does, because that is how most clients said it.
"""

from dataclasses import fields, replace
from typing import Any

from app.providers.base import Request
from app.providers.errors import RequestRefused

REMEDY = "Leave it out, or send the header x-parley-drop-unsupported: true."
NAMES = {
    "max_output_tokens": "max_completion_tokens",
    "tool_use": "tool_choice",
    "tool_name": "tool_choice",
    "thinking_budget": "reasoning_effort",
}
"""What OpenAI calls a field of Request, where it has another name for it."""

DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Request)}


def sayable(request: Request, label: str, *wordless: str) -> Request:
    """`request` without the fields that `label` has no word for; raises RequestRefused unless it is lenient."""
    asked = [name for name in wordless if getattr(request, name) != DEFAULTS[name]]
    if asked and not request.is_lenient:
        raise no_word(label, asked[0])
    return replace(request, **{name: DEFAULTS[name] for name in asked}) if asked else request


def no_word(label: str, field: str) -> RequestRefused:
    name = NAMES.get(field, field)
    return RequestRefused(f"{label} has no word for `{name}`.", REMEDY, parameter=name)


def refused(cause: str, field: str) -> RequestRefused:
    """For what a vendor has a word for, and still cannot be told."""
    return RequestRefused(cause, REMEDY, parameter=NAMES.get(field, field))


def makes_no_embeddings(label: str) -> RequestRefused:
    return RequestRefused(
        f"{label} makes no embeddings.", "Choose an embedding model of another provider.", parameter="model"
    )
