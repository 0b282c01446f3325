"""Ollama, by its own interface: its OpenAI-compatible one ignores the context window and silently cuts."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import ClassVar, Final

from app.providers import ollama_loading as loading
from app.providers.base import EmbeddingRequest, Embeddings, Endpoint, ModelInfo, Request
from app.providers.errors import ModelGone, NotTheProtocol, RequestRefused
from app.providers.events import Event
from app.providers.exchange import Exchange
from app.providers.memory import LoadedModel
from app.providers.ollama_answers import LineReader
from app.providers.ollama_embeddings import embeddings_body, embeddings_in
from app.providers.ollama_messages import chat_body, repair_for
from app.providers.ollama_passing import language_for, passed_document
from app.providers.ollama_window import window_for
from app.providers.one_call import reader_for
from app.providers.passage import Dialect
from app.providers.passing import Passing
from app.providers.untrusted import Json, count_at, list_at, object_at, objects_at, text_at
from app.providers.wire import JsonLines, Wire, asked_patiently

ENDINGS = re.compile(r"/(v1|api)(/.*)?$")
MOST_AT_ONCE = 6
"""Models whose details are asked for at the same time."""


class Ollama:
    """`http://host:11434`, with or without `/v1` or `/api`; a key where a proxy or ollama.com wants one.

    It also keeps models loaded, as memory.KeepsModelsLoaded says.
    """

    default_label: ClassVar[str] = "Ollama"
    dialects: Final = frozenset({Dialect.OLLAMA_CHAT, Dialect.OLLAMA_GENERATION})

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        base_url = ENDINGS.sub("", endpoint.base_url.strip().rstrip("/"))
        self._wire = Wire(endpoint, self.default_label, base_url, headers)

    def stream(self, request: Request) -> AsyncIterator[Event]:
        if (passage := request.passage) is not None:
            language = language_for(request, passage, self._wire.label)
            return Passing(self._wire, language, repair_for(request)).events(
                passed_document(request, passage),
                passage,
                streaming=request.streaming,
                retries=self._endpoint.retries,
            )
        exchange = Exchange(
            self._wire,
            path="/api/chat",
            new_decoder=JsonLines,
            new_reader=reader_for(request, lambda: LineReader(window_for(request), self._wire.label)),
            repair=repair_for(request),
        )
        return exchange.events(
            lambda: chat_body(request, self._wire.label),
            streaming=request.streaming,
            retries=self._endpoint.retries,
        )

    async def list_models(self) -> list[ModelInfo]:
        answer = await self._wire.get("/api/tags")
        if "models" not in answer:
            raise self._wire.not_understood()
        turnstile = asyncio.Semaphore(MOST_AT_ONCE)
        listed = [model for model in objects_at(answer, "models") if _name(model)]
        return await asyncio.gather(*(self._described(model, turnstile) for model in listed))

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        body = embeddings_body(request)
        answer = await asked_patiently(lambda: self._wire.post("/api/embed", body), self._endpoint.retries)
        found = embeddings_in(answer, len(request.texts))
        if found is None:
            raise self._wire.not_understood()
        return found

    async def loaded_models(self) -> list[LoadedModel]:
        return await loading.loaded_models(self._wire)

    async def load(self, model: str) -> None:
        await loading.load(self._wire, model)

    async def unload(self, model: str) -> None:
        await loading.unload(self._wire, model)

    async def _described(self, model: Json, turnstile: asyncio.Semaphore) -> ModelInfo:
        """Newer versions tell everything in the list, older ones model by model."""
        if count_at(object_at(model, "details"), "context_length") and list_at(model, "capabilities"):
            return _info(model, object_at(model, "details"))
        async with turnstile:
            try:
                details = await self._wire.look_up("/api/show", {"model": _name(model)})
            except (ModelGone, RequestRefused, NotTheProtocol):
                # One broken model must not hide the others.
                return _info(model, {})
        return _info({**model, **details}, object_at(details, "model_info"))


def _name(model: Json) -> str:
    return text_at(model, "name") or text_at(model, "model")


def _info(model: Json, details: Json) -> ModelInfo:
    abilities, build = list_at(model, "capabilities"), object_at(model, "details")
    return ModelInfo(
        name=_name(model),
        context_window=_context_window(details),
        vision="vision" in abilities if abilities else None,
        tools="tools" in abilities if abilities else None,
        reasoning="thinking" in abilities if abilities else None,
        embeddings="embedding" in abilities if abilities else None,
        family=text_at(build, "family") or None,
        parameters=text_at(build, "parameter_size") or None,
        quantization=text_at(build, "quantization_level") or None,
        size=count_at(model, "size"),
    )


def _context_window(details: Json) -> int | None:
    """`context_length`, or under the name of the architecture: `llama.context_length`."""
    keys = (key for key in details if key == "context_length" or key.endswith(".context_length"))
    return next((window for key in keys if (window := count_at(details, key))), None)
