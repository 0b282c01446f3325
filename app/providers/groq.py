"""Groq: OpenAI's protocol at another address, with its own way to report usage and errors in a stream.

`x_groq.usage` and `x_groq.error` are read where every chunk is read.
"""

import re
from typing import ClassVar

from app.providers.base import EmbeddingRequest, Embeddings, Request
from app.providers.openai_compatible import OpenAICompatible
from app.providers.openai_messages import chat_body
from app.providers.passage import Dialect
from app.providers.unsupported import makes_no_embeddings, sayable
from app.providers.untrusted import Json

NOT_FOR_CHATS = re.compile(r"whisper|tts|orpheus|guard|safeguard", re.IGNORECASE)
THINKS_INLINE = re.compile(r"qwen|deepseek-r1|qwq", re.IGNORECASE)
"""Families that write `<think>` into the answer unless told to keep their thoughts apart."""

WORDLESS = ("top_k", "frequency_penalty", "presence_penalty")
"""The penalties are words of its language, but no model there listens to them."""


class Groq(OpenAICompatible):
    default_label: ClassVar[str] = "Groq"
    speaks: ClassVar[frozenset[Dialect]] = frozenset({Dialect.OPENAI_CHAT})

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        raise makes_no_embeddings(self._wire.label)

    def body(self, request: Request) -> Json:
        body = chat_body(sayable(request, self._wire.label, *WORDLESS))
        if THINKS_INLINE.search(request.model):
            body["reasoning_format"] = "parsed"
        return body

    def can_converse(self, model: str) -> bool:
        return not NOT_FOR_CHATS.search(model)
