"""LM Studio: chats through its OpenAI-compatible door, lists of models through its own, which tells more."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import ClassVar

from app.providers.base import Endpoint, ModelInfo, Request
from app.providers.errors import BrokenOff, ModelGone, NotTheProtocol, RequestRefused
from app.providers.openai_compatible import OpenAICompatible
from app.providers.openai_messages import chat_body
from app.providers.tools import only_the_named_tool
from app.providers.unsupported import sayable
from app.providers.untrusted import Json, count_at, flag_at, list_at, object_at, objects_at, text_at

ENDINGS = re.compile(r"/(v1|api/v0|api/v1)(/.*)?$")


class LMStudio(OpenAICompatible):
    """`http://host:1234`, with or without `/v1`."""

    default_label: ClassVar[str] = "LM Studio"

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._native = self.open_wire(_root(endpoint.base_url))

    def chat_base_url(self, base_url: str) -> str:
        return f"{_root(base_url)}/v1"

    def body(self, request: Request) -> Json:
        return chat_body(_in_its_words(sayable(request, self._wire.label, "parallel_tool_calls")))

    async def list_models(self) -> list[ModelInfo]:
        """From the newest of its three lists: since 0.4 `/api/v1`, before that `/api/v0`, and OpenAI's."""
        lists: tuple[Callable[[], Awaitable[list[ModelInfo]]], ...] = (self._newest_list, self._older_list)
        for ask in lists:
            try:
                return await ask()
            except (NotTheProtocol, RequestRefused, ModelGone, BrokenOff):
                # A version without this list answers 404, or 200 with an error in it.
                continue
        return await super().list_models()

    async def _newest_list(self) -> list[ModelInfo]:
        answer = await self._native.get("/api/v1/models")
        if "models" not in answer:
            raise self._native.not_understood()
        return [_newest(model) for model in objects_at(answer, "models") if text_at(model, "key")]

    async def _older_list(self) -> list[ModelInfo]:
        answer = await self._native.get("/api/v0/models")
        if "data" not in answer:
            raise self._native.not_understood()
        return [_older(model) for model in objects_at(answer, "data") if text_at(model, "id")]


def _in_its_words(request: Request) -> Request:
    """It knows JSON by a schema only, and no tool by name: to offer that one alone comes to the same."""
    if request.response_format and request.response_format.schema is None:
        any_object = replace(request.response_format, schema={"type": "object"}, is_strict=False)
        request = replace(request, response_format=any_object)
    return only_the_named_tool(request)


def _root(base_url: str) -> str:
    return ENDINGS.sub("", base_url.strip().rstrip("/"))


def _newest(model: Json) -> ModelInfo:
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
    )


def _loaded_window(model: Json) -> int | None:
    """The smallest window it is loaded with: what it could have helps nobody."""
    loaded = [object_at(instance, "config") for instance in objects_at(model, "loaded_instances")]
    windows = [window for config in loaded if (window := count_at(config, "context_length"))]
    return min(windows, default=None)


def _older(model: Json) -> ModelInfo:
    kind = text_at(model, "type")
    return ModelInfo(
        name=text_at(model, "id"),
        context_window=count_at(model, "loaded_context_length") or count_at(model, "max_context_length"),
        vision=kind == "vlm",
        tools="tool_use" in list_at(model, "capabilities") or None,
        embeddings=kind == "embeddings",
    )
