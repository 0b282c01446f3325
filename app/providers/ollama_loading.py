"""Which models Ollama holds in memory, and telling it to."""

from datetime import datetime

from app.providers.errors import RequestRefused
from app.providers.memory import LoadedModel
from app.providers.ollama_window import SMALLEST_WINDOW
from app.providers.untrusted import Json, count_at, objects_at, text_at
from app.providers.wire import Wire

FOR_EVER = -1
NOT_AT_ALL = 0


async def loaded_models(wire: Wire) -> list[LoadedModel]:
    answer = await wire.get("/api/ps")
    if "models" not in answer:
        raise wire.not_understood()
    return [_loaded(model) for model in objects_at(answer, "models") if _name(model)]


async def load(wire: Wire, model: str) -> None:
    """Until it is unloaded, with the window that most conversations need: another one would load it anew."""
    body: Json = {
        "model": model,
        "stream": False,
        "keep_alive": FOR_EVER,
        "options": {"num_ctx": SMALLEST_WINDOW},
    }
    try:
        await wire.load("/api/generate", body)
    except RequestRefused as error:
        if "does not support generate" not in error.vendor_words:
            raise
        # An embedding model; an empty list of texts loads it and does nothing more.
        await wire.load("/api/embed", {"model": model, "input": [], "keep_alive": FOR_EVER})


async def unload(wire: Wire, model: str) -> None:
    await wire.post("/api/generate", {"model": model, "stream": False, "keep_alive": NOT_AT_ALL})


def _loaded(model: Json) -> LoadedModel:
    return LoadedModel(
        name=_name(model),
        size=count_at(model, "size"),
        size_on_gpu=count_at(model, "size_vram"),
        context_window=count_at(model, "context_length"),
        expires_at=_time(text_at(model, "expires_at")),
    )


def _name(model: Json) -> str:
    return text_at(model, "name") or text_at(model, "model")


def _time(text: str) -> datetime | None:
    """A time with its zone. A model that stays for ever is said to expire in some hundred years."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo and moment.year < 2200 else None
