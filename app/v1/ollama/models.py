"""Models in Ollama's words: what there is, what one can do, what is in memory. What is not known is left empty."""

from collections.abc import Iterable
from datetime import UTC, datetime

from app.catalog.listing import ListedModel
from app.catalog.loaded import InMemory
from app.v1.surface import Json

VERSION = "0.12.6"
"""The version of Ollama whose interface this is: clients ask, and refuse to talk to older ones."""

ABILITIES = {"tools": "tools", "vision": "vision", "reasoning": "thinking"}
ARCHITECTURE = "unknown"
"""Under the name of which a model's figures stand."""


def tags(models: Iterable[ListedModel]) -> Json:
    return {"models": [_tag(model) for model in models]}


def shown(model: ListedModel) -> Json:
    return {
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": _details(),
        "model_info": _figures(model),
        "capabilities": capabilities(model),
        "modified_at": _moment(model.found_at),
    }


def in_memory(models: Iterable[InMemory]) -> Json:
    return {"models": [_process(each) for each in models]}


def capabilities(model: ListedModel) -> list[str]:
    if "embeddings" in model.abilities:
        return ["embedding"]
    return ["completion", *(ABILITIES[ability] for ability in model.abilities if ability in ABILITIES)]


def _tag(model: ListedModel) -> Json:
    return {
        "name": model.full_name,
        "model": model.full_name,
        "modified_at": _moment(model.found_at),
        "size": 0,
        "digest": "",
        "details": _details(),
        "capabilities": capabilities(model),
    }


def _process(each: InMemory) -> Json:
    loaded = each.loaded
    return {
        "name": each.model.full_name,
        "model": each.model.full_name,
        "size": loaded.size or 0,
        "digest": "",
        "details": _details(),
        "expires_at": _moment(loaded.expires_at) if loaded.expires_at else None,
        "size_vram": loaded.size_on_gpu or 0,
        "context_length": loaded.context_window or 0,
    }


def _figures(model: ListedModel) -> Json:
    window = model.context_window
    figures = {f"{ARCHITECTURE}.context_length": window} if window else {}
    return {"general.architecture": ARCHITECTURE, "general.basename": model.name, **figures}


def _details() -> Json:
    return {
        "parent_model": "",
        "format": "",
        "family": "",
        "families": [],
        "parameter_size": "",
        "quantization_level": "",
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
