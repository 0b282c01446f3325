"""LM Studio: chats through its OpenAI-compatible door, models through its own, which tells and does more."""

import re
from dataclasses import replace
from typing import ClassVar

from app.providers import lmstudio_models as models
from app.providers.base import Endpoint, ModelInfo, Request
from app.providers.errors import BrokenOff, ModelGone, NotTheProtocol, RequestRefused
from app.providers.memory import LoadedModel
from app.providers.openai_compatible import OpenAICompatible
from app.providers.openai_messages import chat_body
from app.providers.tools import only_the_named_tool
from app.providers.untrusted import Json, objects_at, text_at

ENDINGS = re.compile(r"/(v1|api/v0|api/v1)(/.*)?$")
UNKNOWN_HERE = (NotTheProtocol, RequestRefused, ModelGone, BrokenOff)
"""How a version without a path answers: with 404, or with 200 and an error in it."""


class LMStudio(OpenAICompatible):
    """`http://host:1234`, with or without `/v1`. It also keeps models loaded, as memory.KeepsModelsLoaded says."""

    default_label: ClassVar[str] = "LM Studio"

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._native = self.open_wire(_root(endpoint.base_url))

    def chat_base_url(self, base_url: str) -> str:
        return f"{_root(base_url)}/v1"

    def body(self, request: Request) -> Json:
        return chat_body(_in_its_words(request))

    async def list_models(self) -> list[ModelInfo]:
        """From the newest of its three lists: its own newer one, its own older one, and OpenAI's."""
        try:
            return [models.newest(model) for model in await self._newest_list()]
        except UNKNOWN_HERE:
            pass
        try:
            return [models.older(model) for model in await self._older_list()]
        except UNKNOWN_HERE:
            return await super().list_models()

    async def loaded_models(self) -> list[LoadedModel]:
        try:
            listed = await self._newest_list()
        except UNKNOWN_HERE:
            listed = await self._older_list()
            return [models.older_loaded(model) for model in listed if models.is_older_loaded(model)]
        return [models.newest_loaded(model) for model in listed if models.instances(model)]

    async def load(self, model: str) -> None:
        """Nothing where it is loaded already: LM Studio would load it a second time beside the first."""
        if not await self._instances(model):
            await self._native.load("/api/v1/models/load", {"model": model})

    async def unload(self, model: str) -> None:
        for instance in await self._instances(model):
            await self._native.post("/api/v1/models/unload", {"instance_id": instance})

    async def _instances(self, model: str) -> list[str]:
        try:
            listed = await self._newest_list()
        except UNKNOWN_HERE as error:
            raise RequestRefused(
                f"This version of {self._native.label} cannot be told which models to load.",
                "Update it to 0.4 or newer, or load the model there.",
            ) from error
        named = (item for item in listed if text_at(item, "key") == model)
        return [instance for item in named for instance in models.instances(item)]

    async def _newest_list(self) -> list[Json]:
        answer = await self._native.get("/api/v1/models")
        if "models" not in answer:
            raise self._native.not_understood()
        return [model for model in objects_at(answer, "models") if text_at(model, "key")]

    async def _older_list(self) -> list[Json]:
        answer = await self._native.get("/api/v0/models")
        if "data" not in answer:
            raise self._native.not_understood()
        return [model for model in objects_at(answer, "data") if text_at(model, "id")]


def _in_its_words(request: Request) -> Request:
    """It knows JSON by a schema only, and no tool by name: to offer that one alone comes to the same.

    That calls are to be made one by one is kept where the answer is read.
    """
    if request.response_format and request.response_format.schema is None:
        any_object = replace(request.response_format, schema={"type": "object"}, is_strict=False)
        request = replace(request, response_format=any_object)
    return only_the_named_tool(replace(request, parallel_tool_calls=None))


def _root(base_url: str) -> str:
    return ENDINGS.sub("", base_url.strip().rstrip("/"))
