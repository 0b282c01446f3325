"""A whole answer in Anthropic's words: a message of blocks, why it ended, and what it used."""

from app.providers.base import Thought
from app.providers.events import FinishReason, Usage
from app.v1.arguments import as_object
from app.v1.surface import Answer, Json

STOP_REASONS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
}


def message(answer: Answer) -> Json:
    content = [thought_block(thought) for thought in answer.thoughts]
    content += [text_block(answer.text)] if answer.text else []
    content += [tool_use_block(call.id, call.name, as_object(call.arguments)) for call in answer.tool_calls]
    return {
        **opening(answer),
        "content": content,
        "stop_reason": stop_reason(answer),
        "stop_sequence": answer.stop_sequence,
        "usage": usage_of(answer.usage),
    }


def opening(answer: Answer) -> Json:
    """What is known of a message before its first word."""
    return {
        "id": f"msg_{answer.id}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def stop_reason(answer: Answer) -> str:
    if answer.finish is not FinishReason.STOP:
        return STOP_REASONS[answer.finish]
    # Some servers call a tool and say that they simply stopped; clients go on only when told of the call.
    if answer.tool_calls:
        return "tool_use"
    return "end_turn" if answer.stop_sequence is None else "stop_sequence"


def usage_of(usage: Usage) -> Json:
    """Anthropic counts what came from a cache, or was written to one, beside the input."""
    return {
        "input_tokens": max(0, usage.input - usage.cache_read - usage.cache_write),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }


def text_block(text: str) -> Json:
    return {"type": "text", "text": text}


def thought_block(thought: Thought) -> Json:
    if thought.redacted:
        return {"type": "redacted_thinking", "data": thought.redacted}
    return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}


def tool_use_block(call_id: str, name: str, arguments: Json) -> Json:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
