"""How each kind of client asks, knows an error of its own language, and knows that a stream came whole."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

Json = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """`body(model, text)` is what it sends; `complaint` takes an error's document apart: its kind, its sentence."""

    name: str
    path: str
    body: Callable[[str, str], Json]
    complaint: Callable[[Json], tuple[str, str]]
    end: str = ""
    """What only a stream that came whole holds."""
    streams_unless_told: bool = False

    def asking(self, model: str, text: str = "Hello", *, streaming: bool = False, **more: Any) -> Json:
        told = {"stream": streaming} if streaming != self.streams_unless_told else {}
        return self.body(model, text) | told | more

    def error_at_the_end_of(self, stream: str) -> tuple[str, str]:
        """Its kind and its sentence; fails unless the last thing that was said is an error."""
        last = stream.strip().splitlines()[-1].removeprefix("data: ")
        return self.complaint(orjson.loads(last))


def in_openais_words(document: Json) -> tuple[str, str]:
    error = document["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error["code"], error["message"]


def in_a_responses_words(document: Json) -> tuple[str, str]:
    if document.get("type") != "response.failed":
        return in_openais_words(document)
    assert document["response"]["status"] == "failed"
    return document["response"]["error"]["code"], document["response"]["error"]["message"]


def in_anthropics_words(document: Json) -> tuple[str, str]:
    assert document["type"] == "error"
    assert document["request_id"]
    return document["error"]["type"], document["error"]["message"]


def in_ollamas_words(document: Json) -> tuple[str, str]:
    assert set(document) == {"error"}
    return "", document["error"]


def in_our_words(document: Json) -> tuple[str, str]:
    return document["error"]["code"], document["error"]["message"]


def _conversation(model: str, text: str) -> Json:
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def _message(model: str, text: str) -> Json:
    return _conversation(model, text) | {"max_tokens": 100}


def _prompt(model: str, text: str) -> Json:
    return {"model": model, "prompt": text}


def _input(model: str, text: str) -> Json:
    return {"model": model, "input": text}


OPENAI = Client("openai", "/v1/chat/completions", _conversation, in_openais_words, "data: [DONE]")
ANTHROPIC = Client("anthropic", "/v1/messages", _message, in_anthropics_words, "message_stop")
OLLAMA = Client("ollama", "/ollama/api/chat", _conversation, in_ollamas_words, '"done":true', True)
COMPLETIONS = Client("completions", "/v1/completions", _prompt, in_openais_words, "data: [DONE]")
RESPONSES = Client("responses", "/v1/responses", _input, in_a_responses_words, "response.completed")
GENERATION = Client("generation", "/ollama/api/generate", _prompt, in_ollamas_words, '"done":true', True)
NATIVE = Client("native", "/api/generate", lambda model, text: _prompt(model, text), in_our_words)
TALKING = (OPENAI, ANTHROPIC, OLLAMA, COMPLETIONS, RESPONSES, GENERATION)

EMBEDDING = (
    Client("embeddings", "/v1/embeddings", _input, in_openais_words),
    Client("embed", "/ollama/api/embed", _input, in_ollamas_words),
    Client("old embeddings", "/ollama/api/embeddings", _prompt, in_ollamas_words),
    Client("native embeddings", "/api/embeddings", _input, in_our_words),
)
COUNTING = Client("counting", "/v1/messages/count_tokens", _message, in_anthropics_words)
EVERY = (*TALKING, NATIVE, *EMBEDDING, COUNTING)
