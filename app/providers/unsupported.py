"""What a vendor has no word for: refused before anything is sent, or left out where the client allows it.

Errors name a parameter as OpenAI does, because that is how most clients said it.
"""

from dataclasses import fields, replace
from typing import Any

from app.providers.base import Request, ToolUse
from app.providers.errors import RequestRefused

REMEDY = "Leave it out, or send the header x-parley-drop-unsupported: true."
NAMES = {
    "max_output_tokens": "max_completion_tokens",
    "tool_use": "tool_choice",
    "tool_name": "tool_choice",
    "thinking_budget": "reasoning_effort",
}
"""What OpenAI calls a field of Request, where it has another name for it."""

USUAL = {
    "frequency_penalty": 0,
    "parallel_tool_calls": True,
    "presence_penalty": 0,
    "temperature": 1,
    "tool_use": ToolUse.AUTO,
    "top_p": 1,
}
"""What every vendor does anyway: where there is no word for it, none is needed."""

DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Request)}


def sayable(request: Request, label: str, *wordless: str) -> Request:
    """`request` without the fields that `label` has no word for; raises RequestRefused unless it is lenient."""
    said = [name for name in wordless if getattr(request, name) != DEFAULTS[name]]
    missed = [name for name in said if getattr(request, name) != USUAL.get(name)]
    if missed and not request.is_lenient:
        raise no_word(label, missed[0])
    return replace(request, **{name: DEFAULTS[name] for name in said}) if said else request


def in_any_language(request: Request) -> Request:
    """`request` for a provider that does not get the client's own document. Raises RequestRefused for what only that
    could say."""
    if request.beyond and not request.is_lenient:
        raise RequestRefused(
            f"`{request.beyond[0]}` cannot be said in the language of this model's provider.",
            "Leave it out, choose another model, or send the header x-parley-drop-unsupported: true.",
            parameter=request.beyond[0],
        )
    if request.choices > 1:
        raise RequestRefused(
            "This model's provider gives one answer at a time.", "Ask once for each answer.", parameter="n"
        )
    return request.but(passage=None)


def no_word(label: str, field: str) -> RequestRefused:
    name = NAMES.get(field, field)
    return RequestRefused(f"{label} has no word for `{name}`.", REMEDY, parameter=name)


def refused(cause: str, field: str) -> RequestRefused:
    """For what a vendor has a word for, and still cannot be told."""
    return RequestRefused(cause, REMEDY, parameter=NAMES.get(field, field))


def may_be_left_out(error: RequestRefused, parameter: str) -> RequestRefused:
    """The vendor's own refusal of a parameter that a lenient request would be asked without."""
    return RequestRefused(error.cause, REMEDY, parameter=parameter, vendor_words=error.vendor_words)


def makes_no_embeddings(label: str) -> RequestRefused:
    return RequestRefused(
        f"{label} makes no embeddings.", "Choose an embedding model of another provider.", parameter="model"
    )
