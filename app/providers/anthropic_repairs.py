"""Asking Anthropic again, in a way that this model takes: models differ in limits, thinking and formats."""

import re

from app.providers.anthropic_formats import KNOWS_NO_FORMAT, with_tool_for_format
from app.providers.anthropic_thinking import with_other_thinking
from app.providers.base import Request
from app.providers.errors import RequestRefused
from app.providers.exchange import Repair
from app.providers.unsupported import may_be_left_out
from app.providers.untrusted import Json, count_at, object_at

LARGEST_OUTPUT = re.compile(r"max_tokens: \d+ > (\d+)")
ABOUT_THINKING = re.compile(r"thinking|adaptive|effort|output_config")
SPARED = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop_sequences": "stop"}
"""Parameters that are left out for a lenient request, should a model refuse one of them; OpenAI's names."""


def repair_for(request: Request) -> Repair:
    """Raises RequestRefused for what a request that is not lenient cannot do without."""
    return lambda body, error: _repaired(body, error, request)


def _repaired(body: Json, error: RequestRefused, request: Request) -> Json | None:
    words = error.vendor_words
    limit = LARGEST_OUTPUT.search(words)
    if limit and int(limit[1]) < (count_at(body, "max_tokens") or 0):
        # Nothing is lost: the model could not have written more.
        return {**body, "max_tokens": int(limit[1])}
    if "format" in object_at(body, "output_config") and KNOWS_NO_FORMAT.search(words):
        return with_tool_for_format(body, request)
    if refused := next((name for name in SPARED if name in body and name in words), None):
        return _without(body, refused, error, request)
    if "thinking" in body and ABOUT_THINKING.search(words):
        return _with_other_thinking(body, error, request)
    return None


def _without(body: Json, refused: str, error: RequestRefused, request: Request) -> Json:
    if not request.is_lenient:
        raise may_be_left_out(error, SPARED[refused])
    return {key: value for key, value in body.items() if key != refused}


def _with_other_thinking(body: Json, error: RequestRefused, request: Request) -> Json:
    other = with_other_thinking(body, request)
    if other is None:
        raise may_be_left_out(error, "reasoning_effort")
    return other
