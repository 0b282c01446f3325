"""What passes through: a client's own document, for a provider that speaks the client's language."""

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from app.values import value


class Dialect(StrEnum):
    """A language in which clients and providers speak to each other."""

    OPENAI_CHAT = "openai chat completions"
    OPENAI_COMPLETIONS = "openai completions"
    OPENAI_RESPONSES = "openai responses"
    ANTHROPIC_MESSAGES = "anthropic messages"
    OLLAMA_CHAT = "ollama chat"
    OLLAMA_GENERATION = "ollama generation"


OPTIONS_OF_OLLAMA = frozenset(
    f"options.{name}"
    for name in "frequency_penalty min_p mirostat mirostat_eta mirostat_tau num_predict penalize_newline "
    "presence_penalty repeat_last_n repeat_penalty seed stop temperature tfs_z top_k top_p typical_p".split()
)
"""How words are chosen. How a model is loaded is decided by whoever runs it."""

FIELDS: Mapping[Dialect, frozenset[str]] = {
    Dialect.OPENAI_CHAT: frozenset(
        "chat_template_kwargs frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
        "max_tokens messages metadata min_p model n n_predict parallel_tool_calls prediction presence_penalty "
        "prompt_cache_key prompt_cache_retention reasoning_effort repetition_penalty response_format "
        "safety_identifier seed stop stream stream_options temperature tool_choice tools top_k top_logprobs top_p "
        "user verbosity".split()
    ),
    Dialect.OPENAI_COMPLETIONS: frozenset(
        "echo frequency_penalty logit_bias logprobs max_tokens min_p model n n_predict presence_penalty prompt "
        "repetition_penalty seed stop stream stream_options suffix temperature top_k top_p user".split()
    ),
    Dialect.OPENAI_RESPONSES: frozenset(
        "include input instructions max_output_tokens max_tool_calls metadata model parallel_tool_calls "
        "prompt_cache_key prompt_cache_retention reasoning safety_identifier stream stream_options temperature text "
        "text.verbosity tool_choice tools top_logprobs top_p truncation user".split()
    ),
    Dialect.ANTHROPIC_MESSAGES: frozenset(
        "cache_control context_management max_tokens messages metadata model output_config output_format "
        "stop_sequences stream system temperature thinking tool_choice tools top_k top_p".split()
    ),
    Dialect.OLLAMA_CHAT: OPTIONS_OF_OLLAMA
    | frozenset("format logprobs messages model options stream think tools top_logprobs".split()),
    Dialect.OLLAMA_GENERATION: OPTIONS_OF_OLLAMA
    | frozenset(
        "context format images logprobs model options prompt raw stream suffix system template think "
        "top_logprobs".split()
    ),
}
"""What of a document is passed on. Anything else might choose another model, another price or another address.

A name with a dot stands inside a field of which only such names are passed on.
"""
PAID_BY_THE_TOKEN: Mapping[Dialect, re.Pattern[str]] = {
    Dialect.OPENAI_CHAT: re.compile(r"function|custom"),
    # What clients run, and what Anthropic runs without a bill for it, each followed by the date of its version.
    Dialect.ANTHROPIC_MESSAGES: re.compile(
        r"custom|(bash|computer|memory|text_editor|tool_search_tool_\w+|web_fetch)_\d+"
    ),
}
"""Tools that cost no more than their words. Any other may be run by the vendor and billed apart, such as a search."""
ANY_KIND = re.compile(".*", re.DOTALL)
"""Elsewhere such tools are not passed on at all."""
PASSED_WHOLE = frozenset({Dialect.OPENAI_CHAT, Dialect.ANTHROPIC_MESSAGES})
"""Languages in which what stands inside a field is its vendor's own affair, such as tools that it runs itself."""


@value
class Passage:
    """A client's own document: a provider that speaks its dialect gets it as it is, but for what Parley decides.

    `wants_usage`: whether the client's stream ends with what it used, where clients must ask for that.
    """

    dialect: Dialect
    document: dict[str, Any] = field(repr=False)
    wants_usage: bool = False
    size: int = 0
    """Bytes of the document without its images: more tokens no vendor can count in it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of the client that belong to the language, such as `anthropic-beta`."""

    def known(self) -> dict[str, Any]:
        """The document as far as it is passed on."""
        fields = FIELDS[self.dialect]
        return {name: given for name, given in self.document.items() if name in fields}

    @property
    def billed_apart(self) -> str | None:
        """The place of the first tool that may cost more than its words, such as `tools.0`."""
        known, tools = PAID_BY_THE_TOKEN.get(self.dialect, ANY_KIND), self.document.get("tools")
        for position, tool in enumerate(tools if isinstance(tools, list) else ()):
            kind = tool.get("type") if isinstance(tool, dict) else None
            if kind is not None and not known.fullmatch(str(kind)):
                return f"tools.{position}"
        return None

    @property
    def works_unasked(self) -> str | None:
        """The place of what lets a provider bill more than what is sent and the maximum of the answer, if there is any.

        What a prediction has foretold in vain is billed like what is written; who shortens a context by a summary
        reads all of it once more. Edits that only leave something out cost nothing.
        """
        if self.dialect is Dialect.OPENAI_CHAT and self.document.get("prediction") is not None:
            return "prediction"
        if self.dialect is Dialect.ANTHROPIC_MESSAGES and (edits := self.document.get("context_management")):
            listed = edits.get("edits") if isinstance(edits, dict) else None
            if not isinstance(listed, list) or not all(map(_leaves_out, listed)):
                return "context_management"
        return None

    def known_in(self, field: str) -> dict[str, Any]:
        """The same of the object in `field`."""
        fields, inside = FIELDS[self.dialect], self.document.get(field)
        given = inside if isinstance(inside, dict) else {}
        return {name: said for name, said in given.items() if f"{field}.{name}" in fields}


def _leaves_out(edit: object) -> bool:
    return isinstance(edit, dict) and str(edit.get("type")).startswith("clear_")


@value
class Passed:
    """A piece of the answer in the provider's own words, to be sent on as it is: whole events, or all of it.

    `pieces` is how many events it holds, which is about as many tokens; `has_end`: the provider said in it why the
    answer ended.
    """

    data: bytes
    pieces: int = 1
    has_end: bool = False
