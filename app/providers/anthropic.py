"""Anthropic: the Messages interface."""

import re
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final
from urllib.parse import quote

from app.providers.anthropic_answers import MessageReader
from app.providers.anthropic_messages import messages_body
from app.providers.anthropic_passing import MESSAGES, counted_document, passed_document
from app.providers.anthropic_repairs import repair_for
from app.providers.base import EmbeddingRequest, Embeddings, Endpoint, ModelInfo, Request
from app.providers.events import Event
from app.providers.exchange import Exchange
from app.providers.passage import Dialect
from app.providers.passing import Passing
from app.providers.unsupported import makes_no_embeddings
from app.providers.untrusted import Json, count_at, flag_at, object_at, objects_at, text_at
from app.providers.wire import ServerSentEvents, Wire

CURRENT_VERSION = "2026-10-21"
SAMPLING_VERSION = "2023-06-01"
"""Since the current version a temperature and its like are refused, even by models that know them."""

ENDINGS = re.compile(r"(/v1)?(/messages|/models)?/*$")
MOST_PAGES = 10
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Anthropic:
    """`https://api.anthropic.com`, with or without `/v1`, and a key."""

    default_label: ClassVar[str] = "Anthropic"
    dialects: Final = frozenset({Dialect.ANTHROPIC_MESSAGES})

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def stream(self, request: Request) -> AsyncIterator[Event]:
        if (passage := request.passage) is not None:
            wire = self._wire(SAMPLING_VERSION, passage.headers)
            document = passed_document(request, passage)
            return Passing(wire, MESSAGES).events(
                document, passage, streaming=request.streaming, retries=self._endpoint.retries
            )
        wire = self._wire(_version_for(request))
        exchange = Exchange(
            wire,
            path="/v1/messages",
            new_decoder=ServerSentEvents,
            new_reader=lambda: MessageReader(answers_by_tool=request.response_format is not None),
            repair=repair_for(request),
        )
        return exchange.events(
            lambda: messages_body(request, wire.label),
            streaming=request.streaming,
            retries=self._endpoint.retries,
        )

    async def count_tokens(self, request: Request) -> int | None:
        passage = request.passage
        if passage is None or passage.dialect not in self.dialects:
            return None
        wire = self._wire(SAMPLING_VERSION, passage.headers)
        answer = await wire.look_up("/v1/messages/count_tokens", counted_document(request, passage))
        return count_at(answer, "input_tokens")

    async def list_models(self) -> list[ModelInfo]:
        """Every model that is still served, page by page."""
        wire = self._wire(CURRENT_VERSION)
        models: list[ModelInfo] = []
        after = ""
        for _ in range(MOST_PAGES):
            page = await wire.get(f"/v1/models?limit=1000{after}")
            if "data" not in page:
                raise wire.not_understood()
            models += [_described(model) for model in objects_at(page, "data") if _is_served(model)]
            if not flag_at(page, "has_more") or not text_at(page, "last_id"):
                break
            after = f"&after_id={quote(text_at(page, 'last_id'), safe='')}"
        return models

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        raise makes_no_embeddings(self._endpoint.label or self.default_label)

    def _wire(self, version: str, more: Mapping[str, str] = NO_HEADERS) -> Wire:
        headers = {"anthropic-version": version, **more}
        if self._endpoint.key:
            headers["x-api-key"] = self._endpoint.key
        base_url = ENDINGS.sub("", self._endpoint.base_url.strip())
        return Wire(self._endpoint, self.default_label, base_url, headers)


def _version_for(request: Request) -> str:
    is_sampled = any(value is not None for value in (request.temperature, request.top_p, request.top_k))
    return SAMPLING_VERSION if is_sampled else CURRENT_VERSION


def _is_served(model: Json) -> bool:
    return bool(text_at(model, "id")) and text_at(model, "lifecycle") != "retired"


def _described(model: Json) -> ModelInfo:
    capabilities = object_at(model, "capabilities")
    return ModelInfo(
        name=text_at(model, "id"),
        display_name=text_at(model, "display_name") or None,
        context_window=count_at(model, "max_input_tokens"),
        max_output_tokens=count_at(model, "max_tokens"),
        vision=flag_at(object_at(capabilities, "image_input"), "supported"),
        tools=True,  # true of every model since Claude 3; the list has no word for it
        reasoning=flag_at(object_at(capabilities, "thinking"), "supported"),
        embeddings=False,
    )
