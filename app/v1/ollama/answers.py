"""Whole answers in Ollama's words, and the figures with which every answer ends. Times are nanoseconds."""

from datetime import UTC, datetime
from typing import Protocol

from app.providers.base import EmbeddingRequest, Embeddings, ToolCall
from app.providers.events import FinishReason
from app.v1.arguments import as_object
from app.v1.surface import Answer, Json

NANOSECONDS_PER_MS = 1_000_000


class Shape(Protocol):
    """How text, thoughts and calls stand in a line or a whole answer."""

    def __call__(self, text: str, thinking: str = "", tool_calls: tuple[ToolCall, ...] = ()) -> Json: ...


def in_conversation(text: str, thinking: str = "", tool_calls: tuple[ToolCall, ...] = ()) -> Json:
    """The Shape of `/api/chat`."""
    message: Json = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if tool_calls:
        message["tool_calls"] = _calls(tool_calls)
    return {"message": message}


def alone(text: str, thinking: str = "", tool_calls: tuple[ToolCall, ...] = ()) -> Json:
    """The Shape of `/api/generate`, where no tool is ever offered."""
    return {"response": text, "thinking": thinking} if thinking else {"response": text}


def whole(answer: Answer, shape: Shape) -> Json:
    thinking = "\n\n".join(thought.text for thought in answer.thoughts if thought.text)
    return opening(answer) | shape(answer.text, thinking, answer.tool_calls) | figures(answer)


def opening(answer: Answer) -> Json:
    created = datetime.fromtimestamp(answer.created, UTC)
    return {"model": answer.model, "created_at": created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def figures(answer: Answer, first_token_ms: int = 0) -> Json:
    """Why it ended and what it took. What came before the first token went into reading the prompt."""
    return {
        "done": True,
        "done_reason": _reason(answer.finish),
        "total_duration": answer.total_ms * NANOSECONDS_PER_MS,
        "load_duration": 0,
        "prompt_eval_count": answer.usage.input,
        "prompt_eval_duration": first_token_ms * NANOSECONDS_PER_MS,
        "eval_count": answer.usage.output,
        "eval_duration": max(0, answer.total_ms - first_token_ms) * NANOSECONDS_PER_MS,
    }


def embedded(request: EmbeddingRequest, embeddings: Embeddings, total_ms: int) -> Json:
    return {
        "model": request.model,
        "embeddings": embeddings.vectors,
        "total_duration": total_ms * NANOSECONDS_PER_MS,
        "load_duration": 0,
        "prompt_eval_count": embeddings.usage.input if embeddings.usage else 0,
    }


def embedded_as_before(embeddings: Embeddings) -> Json:
    """The older shape, for one text."""
    return {"embedding": embeddings.vectors[0]}


def _reason(finish: FinishReason) -> str:
    # Ollama says of a call of a tool only that the answer is done.
    return "stop" if finish is FinishReason.TOOL_CALLS else finish.value


def _calls(tool_calls: tuple[ToolCall, ...]) -> list[Json]:
    return [
        {
            "id": call.id,
            "function": {"index": index, "name": call.name, "arguments": as_object(call.arguments)},
        }
        for index, call in enumerate(tool_calls)
    ]
