"""Messages that pass through: a client's document for Anthropic, or whoever speaks its language."""

import re

from app.providers.anthropic_answers import MessageReader
from app.providers.base import Request
from app.providers.passage import Passage
from app.providers.passing import Language
from app.providers.untrusted import Json

MESSAGES = Language(
    path="/v1/messages",
    concerns=re.compile(rb'"usage"\s*:\s*\{|"type"\s*:\s*"(?:error|message_delta|message_stop)"'),
    new_reader=MessageReader,
)
COUNTED = frozenset(
    "cache_control context_management messages output_config output_format system thinking tool_choice tools".split()
)
"""What is read of a request whose tokens are counted; Anthropic refuses to hear more of it."""


def passed_document(request: Request, passage: Passage) -> Json:
    """What is sent: the model by its own name, and no more tokens than are paid for."""
    document = {**passage.known(), "model": request.model}
    if request.max_output_tokens is not None:
        document["max_tokens"] = request.max_output_tokens
    return document


def counted_document(request: Request, passage: Passage) -> Json:
    """What is sent to have it counted."""
    told = {name: value for name, value in passage.known().items() if name in COUNTED}
    return {**told, "model": request.model}
