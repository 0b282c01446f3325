"""OpenAI itself. Its list of models says nothing but names, so the families it sells are known here."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import ClassVar

from app.providers import openai_responses as responses
from app.providers.base import EmbeddingRequest, ModelInfo, Request
from app.providers.events import Event
from app.providers.openai_compatible import OpenAICompatible
from app.providers.openai_listing import described
from app.providers.openai_messages import chat_body
from app.providers.passage import Dialect, Passage
from app.providers.passing import Passing
from app.providers.reasoning import effort_of
from app.providers.unsupported import sayable
from app.providers.untrusted import Json, objects_at, text_at

NOT_FOR_CHATS = re.compile(
    r"^(ada|babbage|curie|davinci|computer-use|gpt-audio|gpt-image|gpt-live|gpt-realtime|sora|whisper)"
    r"|audio|dall-e|image|instruct|moderation|realtime|search|transcribe|translate|tts|deep-research|codex|-pro\b"
)
"""Models for other things than chats, or offered under the Responses interface only."""

REASONING = re.compile(r"^(o\d|gpt-[5-9])(?!.*chat)")


@dataclass(frozen=True)
class Family:
    """What is true for every model whose name begins with `prefix`; in tokens."""

    prefix: str
    context_window: int
    max_output_tokens: int
    vision: bool = True
    tools: bool = True


# The first prefix that fits counts. From OpenAI's model pages; a model of no family is shown without figures.
FAMILIES = (
    Family("chatgpt-4o", 128_000, 16_384, tools=False),
    Family("gpt-3.5", 16_385, 4_096, vision=False),
    Family("gpt-4.1", 1_047_576, 32_768),
    Family("gpt-4.5", 128_000, 16_384),
    Family("gpt-4-turbo", 128_000, 4_096),
    Family("gpt-4o", 128_000, 16_384),
    Family("gpt-4", 8_192, 8_192, vision=False),
    Family("gpt-5-chat", 128_000, 16_384),
    Family("gpt-5.1-chat", 128_000, 16_384),
    Family("gpt-5.2-chat", 128_000, 16_384),
    Family("gpt-5.3", 128_000, 16_384),
    Family("gpt-5.4-mini", 400_000, 128_000),
    Family("gpt-5.4-nano", 400_000, 128_000),
    Family("gpt-5.4", 1_050_000, 128_000),
    Family("gpt-5.5", 1_000_000, 128_000),
    Family("gpt-5.6", 1_050_000, 128_000),
    Family("gpt-5", 400_000, 128_000),
    Family("gpt-6", 1_050_000, 128_000),
    Family("o1-mini", 128_000, 65_536, vision=False, tools=False),
    Family("o1-preview", 128_000, 32_768, vision=False, tools=False),
    Family("o3-mini", 200_000, 100_000, vision=False),
    Family("o1", 200_000, 100_000),
    Family("o3", 200_000, 100_000),
    Family("o4-mini", 200_000, 100_000),
)


class OpenAI(OpenAICompatible):
    """Newer parameter names throughout; what a reasoning model is known to refuse is not even sent."""

    default_label: ClassVar[str] = "OpenAI"
    limit_name: ClassVar[str] = "max_completion_tokens"
    speaks: ClassVar[frozenset[Dialect]] = frozenset({Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES})

    def passed(self, request: Request, passage: Passage) -> AsyncGenerator[Event, None]:
        if passage.dialect is not Dialect.OPENAI_RESPONSES:
            return super().passed(request, passage)
        return Passing(self._wire, responses.language_for(self._wire), responses.repair_for(request)).events(
            self.document(request, passage),
            passage,
            streaming=request.streaming,
            retries=self._endpoint.retries,
        )

    def document(self, request: Request, passage: Passage) -> Json:
        if passage.dialect is Dialect.OPENAI_RESPONSES:
            document = responses.passed_document(request, passage, thinks=reasons(request.model))
        else:
            document = super().document(request, passage)
        return document | _service(request)

    def body(self, request: Request) -> Json:
        body = chat_body(self._sayable(request)) | _service(request)
        if "max_tokens" in body:
            body["max_completion_tokens"] = body.pop("max_tokens")
        if reasons(request.model):
            for message in objects_at(body, "messages"):
                message["role"] = "developer" if message["role"] == "system" else message["role"]
        return body

    def _sayable(self, request: Request) -> Request:
        known = sayable(request, self._wire.label, "top_k")
        if not reasons(request.model) or effort_of(request) == "none":
            return known
        # While it reasons, a model refuses any temperature but the default.
        return sayable(known, f"{self._wire.label}'s {request.model}", "temperature", "top_p")

    def embeddings_body(self, request: EmbeddingRequest) -> Json:
        """In base64: written out as numbers, the same vectors take four times the bytes."""
        return {**super().embeddings_body(request), "encoding_format": "base64"}

    def can_converse(self, model: str) -> bool:
        return not NOT_FOR_CHATS.search(model)

    def describe(self, model: Json) -> ModelInfo:
        name = text_at(model, "id")
        info = described(model)
        family = _family(name)
        if family is None:
            return info
        return replace(
            info,
            context_window=family.context_window,
            max_output_tokens=family.max_output_tokens,
            vision=family.vision,
            tools=family.tools,
            reasoning=reasons(name),
            embeddings=False,
        )


def _service(request: Request) -> Json:
    # Else a project there may be set to `priority`, at about twice the price that was held for the call.
    return {"service_tier": "default"} if request.at_usual_price else {}


def reasons(model: str) -> bool:
    """Whether `model` thinks before it answers, as its name tells; fine-tuned ones are named `ft:…`."""
    return bool(REASONING.search(model.removeprefix("ft:")))


def _family(model: str) -> Family | None:
    name = model.removeprefix("ft:")
    return next((family for family in FAMILIES if name.startswith(family.prefix)), None)
