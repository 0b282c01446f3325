"""What servers tell of a model in `GET /models`. OpenAI's own list says nothing; others add, each its own way."""

from app.providers.base import ModelInfo
from app.providers.untrusted import Json, count_at, flag_at, list_at, object_at, text_at

CONTEXT_WINDOWS = (
    "context_length",
    "max_model_len",
    "context_window",
    "max_context_length",
    "max_input_tokens",
)
OUTPUT_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_output_length")


def described(model: Json) -> ModelInfo:
    """Reads vLLM, llama.cpp, OpenRouter, Mistral, Together, Groq and whoever does it like one of them."""
    name = text_at(model, "id")
    return ModelInfo(
        name=name,
        display_name=text_at(model, "name") or text_at(model, "display_name") or None,
        context_window=_context_window(model),
        max_output_tokens=_first_count(model, OUTPUT_LIMITS)
        or _first_count(object_at(model, "top_provider"), OUTPUT_LIMITS),
        vision=_vision(model),
        tools=_ability(model, "function_calling", "tools"),
        reasoning=_ability(model, "reasoning", "reasoning"),
        embeddings=_embeddings(model, name),
    )


def _context_window(model: Json) -> int | None:
    meta = object_at(
        model, "meta"
    )  # llama.cpp: what it was started with, else what the model was trained with
    return _first_count(model, CONTEXT_WINDOWS) or _first_count(meta, ("n_ctx", "n_ctx_train"))


def _first_count(source: Json, keys: tuple[str, ...]) -> int | None:
    return next((count for key in keys if (count := count_at(source, key))), None)


def _vision(model: Json) -> bool | None:
    modalities = list_at(object_at(model, "architecture"), "input_modalities") or list_at(
        model, "input_modalities"
    )
    return "image" in modalities if modalities else flag_at(object_at(model, "capabilities"), "vision")


def _ability(model: Json, capability: str, parameter: str) -> bool | None:
    """Mistral has flags under `capabilities`, OpenRouter lists the parameters that a model takes."""
    parameters = list_at(model, "supported_parameters")
    return parameter in parameters if parameters else flag_at(object_at(model, "capabilities"), capability)


def _embeddings(model: Json, name: str) -> bool | None:
    kind = text_at(model, "type") or text_at(model, "task")
    return True if "embed" in kind.lower() or "embed" in name.lower() else None
