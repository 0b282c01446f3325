"""LM Studio's own lists of models, which tell more than OpenAI's: since 0.4 `/api/v1`, before that `/api/v0`."""

from app.providers.base import ModelInfo
from app.providers.memory import LoadedModel
from app.providers.untrusted import Json, count_at, flag_at, list_at, object_at, objects_at, text_at


def newest(model: Json) -> ModelInfo:
    capabilities = object_at(model, "capabilities")
    is_embedding = text_at(model, "type") == "embedding"
    return ModelInfo(
        name=text_at(model, "key"),
        display_name=text_at(model, "display_name") or None,
        context_window=_loaded_window(model) or count_at(model, "max_context_length"),
        vision=flag_at(capabilities, "vision"),
        tools=flag_at(capabilities, "trained_for_tool_use"),
        reasoning=None if is_embedding else bool(object_at(capabilities, "reasoning")),
        embeddings=is_embedding,
        family=text_at(model, "architecture") or None,
        parameters=text_at(model, "params_string") or None,
        quantization=text_at(object_at(model, "quantization"), "name") or None,
        size=count_at(model, "size_bytes"),
    )


def older(model: Json) -> ModelInfo:
    kind = text_at(model, "type")
    return ModelInfo(
        name=text_at(model, "id"),
        context_window=count_at(model, "loaded_context_length") or count_at(model, "max_context_length"),
        vision=kind == "vlm",
        tools="tool_use" in list_at(model, "capabilities") or None,
        embeddings=kind == "embeddings",
        family=text_at(model, "arch") or None,
        quantization=text_at(model, "quantization") or None,
    )


def instances(model: Json) -> list[str]:
    """The names under which a model of the newest list is loaded; usually one or none."""
    return [name for item in objects_at(model, "loaded_instances") if (name := text_at(item, "id"))]


def newest_loaded(model: Json) -> LoadedModel:
    return LoadedModel(
        name=text_at(model, "key"), size=count_at(model, "size_bytes"), context_window=_loaded_window(model)
    )


def older_loaded(model: Json) -> LoadedModel:
    return LoadedModel(name=text_at(model, "id"), context_window=count_at(model, "loaded_context_length"))


def is_older_loaded(model: Json) -> bool:
    return text_at(model, "state") == "loaded"


def _loaded_window(model: Json) -> int | None:
    """The smallest window it is loaded with: what it could have helps nobody."""
    loaded = [object_at(instance, "config") for instance in objects_at(model, "loaded_instances")]
    windows = [window for config in loaded if (window := count_at(config, "context_length"))]
    return min(windows, default=None)
