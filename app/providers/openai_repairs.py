"""Asking again without a parameter that a server refused: what was ours to add, or what a client can spare."""

import re
from collections.abc import Sequence

from app.providers.base import Request
from app.providers.errors import RequestRefused
from app.providers.exchange import Repair
from app.providers.unsupported import may_be_left_out
from app.providers.untrusted import Json

OURS = ("stream_options", "reasoning_format", "max_tokens")
"""Parameters that nobody asked for, or that can be said in another way."""

SPARED = (
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "parallel_tool_calls",
)
"""Parameters that are left out for a lenient request, should a server refuse one of them."""


def repair_for(request: Request) -> Repair:
    """Raises RequestRefused for what a request that is not lenient cannot do without."""
    return lambda body, error: _without_refused(body, error, request.is_lenient)


def without_spared(
    body: Json, error: RequestRefused, names: Sequence[str], *, is_lenient: bool
) -> Json | None:
    """The body without the one of these parameters that was refused. Raises RequestRefused unless it is lenient."""
    name = _refused_parameter([name for name in names if name in body], error)
    if name is None:
        return None
    if not is_lenient:
        raise may_be_left_out(error, name)
    return {key: value for key, value in body.items() if key != name}


def _without_refused(body: Json, error: RequestRefused, is_lenient: bool) -> Json | None:
    name = _refused_parameter([name for name in OURS + SPARED if name in body], error)
    if name in SPARED:
        return without_spared(body, error, SPARED, is_lenient=is_lenient)
    if name is None:
        return None
    simpler = {key: value for key, value in body.items() if key != name}
    if name == "max_tokens":
        # Newer models know the limit under its newer name only. It is never dropped: it limits the cost.
        simpler["max_completion_tokens"] = body[name]
    return simpler


def _refused_parameter(sent: list[str], error: RequestRefused) -> str | None:
    if error.parameter is not None:
        return next((name for name in sent if error.parameter.startswith(name)), None)
    return next((name for name in sent if re.search(rf"\b{name}\b", error.vendor_words)), None)
