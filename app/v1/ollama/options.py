"""What Ollama's clients set beside the conversation: options, format and thinking."""

from typing import TypedDict

from app.providers.base import JsonFormat
from app.v1.fields import Fields
from app.v1.surface import Json

READ = frozenset("temperature top_p top_k seed stop num_predict presence_penalty frequency_penalty".split())
ABOUT_THE_MACHINE = frozenset(
    "num_ctx num_batch num_gpu main_gpu num_thread num_keep numa low_vram f16_kv logits_all vocab_only use_mmap "
    "use_mlock embedding_only".split()
)
"""How a model is loaded: who runs it decides that here, and every model gets its whole window."""
LEVELS = ("low", "medium", "high", "max")
USUAL_LEVEL = "medium"


class Wishes(TypedDict):
    """The part of a `providers.base.Request` that options decide."""

    temperature: float | None
    top_p: float | None
    top_k: int | None
    seed: int | None
    stop: tuple[str, ...]
    max_output_tokens: int | None
    presence_penalty: float | None
    frequency_penalty: float | None


def wishes_in(body: Fields) -> Wishes:
    options = options_of(body)
    return Wishes(
        temperature=options.number("temperature", 0),
        top_p=options.number("top_p", 0, 1),
        top_k=options.count("top_k"),
        seed=options.count("seed", least=-(2**63)),
        stop=_stop(options),
        max_output_tokens=_limit(options),
        presence_penalty=options.number("presence_penalty"),
        frequency_penalty=options.number("frequency_penalty"),
    )


def unknown_options(body: Fields) -> tuple[str, ...]:
    """Options that only Ollama itself understands."""
    options = options_of(body)
    known = READ | ABOUT_THE_MACHINE
    return tuple(options.at(name) for name in options.values if name in options and name not in known)


def options_of(body: Fields) -> Fields:
    return body.child("options") or Fields({}, body.at("options"))


def format_in(body: Fields) -> JsonFormat | None:
    """`"json"`, or a JSON Schema."""
    wanted = body.values.get("format")
    if not isinstance(wanted, str):
        schema = body.child("format")
        return JsonFormat(schema.values) if schema else None
    if wanted not in ("", "json"):
        raise body.wrong("format", 'must be "json" or a JSON Schema')
    return JsonFormat() if wanted else None


def effort_in(body: Fields) -> str | None:
    """`think` is true, false, or a level; None where the client leaves it to the model."""
    if isinstance(body.values.get("think"), str):
        return body.choice("think", LEVELS)
    match body.flag("think"):
        case None:
            return None
        case thinks:
            return USUAL_LEVEL if thinks else "none"


def _stop(options: Fields) -> tuple[str, ...]:
    """One sequence, or a list of them."""
    alone = options.values.get("stop")
    return (alone,) if isinstance(alone, str) else options.texts("stop")


def _limit(options: Fields) -> int | None:
    """A negative number means: as much as the model likes."""
    limit = options.count("num_predict", least=-2)
    return limit if limit is not None and limit > 0 else None


def names_beyond(body: Json, *known: frozenset[str]) -> tuple[str, ...]:
    """The parameters of `body` that are neither known nor as good as not said."""
    return tuple(name for name, value in body.items() if value and not any(name in names for names in known))
