"""Responses that pass through: a client's document for OpenAI, which keeps nothing of it."""

import re
from collections.abc import Iterable
from typing import NoReturn

from app.providers.base import Request
from app.providers.events import Event, Finished, FinishReason, Usage, UsageReport
from app.providers.exchange import Repair
from app.providers.openai_repairs import without_spared
from app.providers.passage import Passage
from app.providers.passing import Language
from app.providers.service_tiers import special_service
from app.providers.untrusted import Json, if_credible, object_at, objects_at, text_at, tokens_at
from app.providers.wire import Wire

SEALED_THOUGHTS = "reasoning.encrypted_content"
TOOLS_OF_CLIENTS = ("function", "custom")
SPARED = ("temperature", "top_p", "reasoning", "parallel_tool_calls", "text")
"""Parameters that are left out for a lenient request, should a model refuse one of them."""
REASONS = {"max_output_tokens": FinishReason.LENGTH, "content_filter": FinishReason.CONTENT_FILTER}
ENDINGS = ("response.completed", "response.incomplete")
FAILURES = ("response.failed", "response.cancelled", "error")
CONCERNS = re.compile(
    rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed|cancelled)|error)"|"error"\s*:\s*[{"]'
)
BEGINS = re.compile(rb'"type"\s*:\s*"response\.[a-z_.]+\.delta"')
"""What comes before says only that somebody is at work, and may be long in going on."""


def language_for(wire: Wire) -> Language:
    return Language(
        path="/responses",
        concerns=CONCERNS,
        new_reader=lambda: ResponseReader(wire),
        whole_as_message=lambda answer: {"type": f"response.{text_at(answer, 'status')}", "response": answer},
        begins=BEGINS,
    )


def passed_document(request: Request, passage: Passage, *, thinks: bool) -> Json:
    """What is sent: the model by its own name, nothing to be kept, and no more tokens than are paid for.

    A model that thinks says its thoughts sealed as well: where nothing is kept, only so can they come back to it.
    """
    document = {**passage.known(), "model": request.model, "store": False}
    if request.max_output_tokens is not None:
        document["max_output_tokens"] = request.max_output_tokens
    if "tools" in document:
        document["tools"] = _tools_of_clients(objects_at(document, "tools"))
    if thinks:
        wanted = document.get("include")
        document["include"] = sorted({*(wanted if isinstance(wanted, list) else ()), SEALED_THOUGHTS})
    return document


def repair_for(request: Request) -> Repair:
    """Raises RequestRefused for what a request that is not lenient cannot do without."""
    return lambda document, error: without_spared(document, error, SPARED, is_lenient=request.is_lenient)


class ResponseReader:
    """One response: of its events those that end it, or the whole of it as the last of them."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._reason: FinishReason | None = None

    @property
    def has_finished(self) -> bool:
        return self._reason is not None

    @property
    def is_over(self) -> bool:
        return self.has_finished

    def read(self, message: Json) -> Iterable[Event]:
        kind, response = text_at(message, "type"), object_at(message, "response")
        if kind in ENDINGS + FAILURES and (told := object_at(response, "usage")):
            yield UsageReport(_usage(told, special_service(text_at(response, "service_tier"))))
        if kind in FAILURES:
            self._fail(object_at(response, "error") or message)
        if kind in ENDINGS:
            why = text_at(object_at(response, "incomplete_details"), "reason")
            self._reason = REASONS.get(why, FinishReason.STOP)

    def end(self) -> Iterable[Event]:
        yield Finished(self._reason or FinishReason.STOP)

    def _fail(self, described: Json) -> NoReturn:
        raise self._wire.complaint({"error": described}) or self._wire.broken_off()


@if_credible
def _usage(told: Json, service: str) -> Usage:
    details = object_at(told, "input_tokens_details")
    return Usage(
        input=tokens_at(told, "input_tokens") or 0,
        output=tokens_at(told, "output_tokens") or 0,
        cache_read=tokens_at(details, "cached_tokens") or 0,
        cache_write=tokens_at(details, "cache_write_tokens") or 0,
        reasoning=tokens_at(object_at(told, "output_tokens_details"), "reasoning_tokens") or 0,
        service=service,
    )


def _tools_of_clients(tools: list[Json]) -> list[Json]:
    """Without those that OpenAI runs itself, which may ask another model or another address."""
    kept = []
    for tool in tools:
        if text_at(tool, "type") == "namespace":
            kept.append({**tool, "tools": _tools_of_clients(objects_at(tool, "tools"))})
        elif text_at(tool, "type") in TOOLS_OF_CLIENTS:
            kept.append(tool)
    return kept
