"""Parameters that chat completions, completions and Responses have in common."""

from collections.abc import Mapping

from app.providers.base import JsonFormat, Tool
from app.v1.fields import Fields
from app.v1.surface import BadRequest, Json

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
MOST_CHOICES = 128
NO_PARAMETERS: Json = {"type": "object", "properties": {}}

IGNORED = frozenset(
    {
        "max_tool_calls",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream_options",
        "user",
    }
)
"""What changes nothing in an answer: labels of the client's, and how OpenAI itself keeps books and caches."""

NEUTRAL: Json = {
    "background": False,
    "best_of": 1,
    "echo": False,
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "modalities": ["text"],
    "n": 1,
    "suffix": "",
    "top_logprobs": 0,
    "truncation": "disabled",
    "verbosity": "medium",
}
"""What a parameter says that might as well be missing."""


def beyond(body: Mapping[str, object], understood: frozenset[str]) -> tuple[str, ...]:
    """The parameters in `body` that are neither understood nor without effect."""
    return tuple(
        name
        for name, value in body.items()
        if value is not None
        and name not in understood
        and name not in IGNORED
        and not (name in NEUTRAL and value == NEUTRAL[name])
    )


def choices_in(asked: Fields) -> int:
    """`n`: how many answers are wanted."""
    wanted = asked.count("n", 1) or 1
    if wanted > MOST_CHOICES:
        raise asked.wrong("n", f"can be at most {MOST_CHOICES}")
    return wanted


def stop_in(asked: Fields) -> tuple[str, ...]:
    """`stop`, which is one text or several."""
    one = asked.values.get("stop")
    return (one,) if isinstance(one, str) else asked.texts("stop")


def seed_in(asked: Fields) -> int | None:
    return asked.count("seed", least=-(2**63))


def effort_in(asked: Fields, name: str) -> str | None:
    return asked.choice(name, EFFORTS)


def function(given: Fields) -> Tool:
    """A function that is offered; chat completions and Responses describe it alike."""
    parameters = given.child("parameters")
    return Tool(
        name=given.needed_text("name"),
        description=given.text("description") or "",
        parameters=parameters.values if parameters else NO_PARAMETERS,
    )


def format_in(given: Fields | None, described_in: str | None = None) -> JsonFormat | None:
    """The JSON that an answer is to be; None when it may be any text.

    `described_in` is where a schema and its name stand in chat completions; in Responses they stand beside the
    type. Raises BadRequest.
    """
    kind = given.choice("type", ("text", "json_object", "json_schema")) if given else None
    if given is None or kind in (None, "text"):
        return None
    if kind == "json_object":
        return JsonFormat()
    described = given.child(described_in) if described_in else given
    schema = described.child("schema") if described else None
    if described is None or schema is None:
        raise BadRequest(f"{given.at('json_schema')}: a schema is needed.", given.at("json_schema"))
    return JsonFormat(
        schema.values, described.text("name") or JsonFormat.name, described.flag("strict") or False
    )
