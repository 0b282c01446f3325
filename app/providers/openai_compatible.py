"""Any server that speaks OpenAI's chat completions: vLLM, llama.cpp, OpenRouter, DeepSeek, Mistral, LiteLLM, …

Also the base of the adapters whose vendors speak it with an accent.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import ClassVar

from app.providers.base import EmbeddingRequest, Embeddings, Endpoint, ModelInfo, Request
from app.providers.errors import NotTheProtocol, ProviderError
from app.providers.events import Event
from app.providers.exchange import Exchange
from app.providers.one_call import reader_for
from app.providers.openai_answers import ChunkReader, whole_as_chunk
from app.providers.openai_embeddings import embeddings_body, embeddings_in
from app.providers.openai_listing import described
from app.providers.openai_messages import chat_body
from app.providers.openai_passing import language_for, passed_document
from app.providers.openai_repairs import repair_for
from app.providers.passage import Dialect, Passage
from app.providers.passing import Passing
from app.providers.unsupported import in_any_language
from app.providers.untrusted import Json, objects_at, text_at
from app.providers.wire import ServerSentEvents, Wire, asked_patiently

ENDINGS = re.compile(r"(/chat/completions|/completions|/models|/responses)?/*$")
WHERE_CHATS_ARE = "chat/completions"
"""What servers name that have a door, but not for models that only chat."""


class OpenAICompatible:
    """`https://host/v1` and a key, if the server wants one."""

    default_label: ClassVar[str] = "OpenAI-compatible server"
    limit_name: ClassVar[str] = "max_tokens"
    speaks: ClassVar[frozenset[Dialect]] = frozenset({Dialect.OPENAI_CHAT, Dialect.OPENAI_COMPLETIONS})

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._wire = self.open_wire(self.chat_base_url(endpoint.base_url))
        self._doorless: set[Dialect] = set()
        """What the server turned out to have no door for; asked again when the connection is changed."""

    @property
    def dialects(self) -> frozenset[Dialect]:
        return self.speaks - self._doorless

    def stream(self, request: Request) -> AsyncIterator[Event]:
        if (passage := request.passage) is None:
            return self._translated(request)
        if passage.dialect is Dialect.OPENAI_CHAT:
            return self.passed(request, passage)
        return self._passed_or_translated(request, passage)

    async def _passed_or_translated(self, request: Request, passage: Passage) -> AsyncGenerator[Event, None]:
        """Not every server has every door: where one is missing, what can be said in a chat is said there."""
        has_begun = False
        try:
            async with aclosing(self.passed(request, passage)) as events:
                async for event in events:
                    has_begun = True
                    yield event
            return
        except ProviderError as error:
            is_missing = isinstance(error, NotTheProtocol)
            if has_begun or not (is_missing or WHERE_CHATS_ARE in str(error)):
                raise
        async with aclosing(self._translated(in_any_language(request))) as events:
            async for event in events:
                if is_missing:
                    self._doorless.add(passage.dialect)
                yield event

    def _translated(self, request: Request) -> AsyncGenerator[Event, None]:
        exchange = Exchange(
            self._wire,
            path="/chat/completions",
            new_decoder=ServerSentEvents,
            new_reader=reader_for(request, ChunkReader),
            repair=repair_for(request),
            whole_as_message=whole_as_chunk,
        )
        return exchange.events(
            lambda: self.body(request), streaming=request.streaming, retries=self._endpoint.retries
        )

    async def list_models(self) -> list[ModelInfo]:
        answer = await self._wire.get("/models")
        if "data" not in answer:
            raise self._wire.not_understood()
        return [
            self.describe(model)
            for model in objects_at(answer, "data")
            if text_at(model, "id") and self.can_converse(text_at(model, "id"))
        ]

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        body = self.embeddings_body(request)
        answer = await asked_patiently(lambda: self._wire.post("/embeddings", body), self._endpoint.retries)
        found = embeddings_in(answer, len(request.texts))
        if found is None:
            raise self._wire.not_understood()
        return found

    def open_wire(self, base_url: str) -> Wire:
        headers = {"Authorization": f"Bearer {self._endpoint.key}"} if self._endpoint.key else {}
        return Wire(self._endpoint, self.default_label, base_url, headers)

    # What an accent may change:

    def chat_base_url(self, base_url: str) -> str:
        """The address in front of `/chat/completions`, of which people paste more than was asked for."""
        return ENDINGS.sub("", base_url.strip())

    def passed(self, request: Request, passage: Passage) -> AsyncGenerator[Event, None]:
        """The answer to a client's own document, in one of the languages of `speaks`."""
        return Passing(self._wire, language_for(request, passage)).events(
            self.document(request, passage),
            passage,
            streaming=request.streaming,
            retries=self._endpoint.retries,
        )

    def document(self, request: Request, passage: Passage) -> Json:
        """A client's own document as it is sent."""
        return passed_document(request, passage, self.limit_name)

    def body(self, request: Request) -> Json:
        """Raises RequestRefused for what the vendor has no word for."""
        return chat_body(request)

    def embeddings_body(self, request: EmbeddingRequest) -> Json:
        return embeddings_body(request)

    def can_converse(self, model: str) -> bool:
        """Whether a listed model belongs in a chat's list (or makes embeddings), as far as its name tells."""
        return True

    def describe(self, model: Json) -> ModelInfo:
        return described(model)
