"""Embeddings: `POST /v1/embeddings`, as lists of numbers or packed into base64."""

import sys
from array import array
from base64 import b64encode
from dataclasses import dataclass

from app.providers.base import EmbeddingRequest, Embeddings
from app.v1.fields import Fields
from app.v1.openai.parameters import beyond
from app.v1.surface import BadRequest, Json

UNDERSTOOD = frozenset({"dimensions", "encoding_format", "input", "model"})
MOST_TEXTS = 2048


@dataclass(frozen=True)
class AskedEmbeddings:
    """Vectors that a client asks for; the request's model is the name that the client wrote."""

    request: EmbeddingRequest
    is_packed: bool = False
    """As base64 of little-endian 32-bit floats, a quarter of the size."""
    beyond: tuple[str, ...] = ()


def read(body: Json) -> AskedEmbeddings:
    """Raises BadRequest."""
    asked = Fields(body)
    request = EmbeddingRequest(
        asked.needed_text("model"), _texts_in(asked), asked.count("dimensions", least=1)
    )
    is_packed = asked.choice("encoding_format", ("float", "base64")) == "base64"
    return AskedEmbeddings(request, is_packed, beyond(body, UNDERSTOOD))


def whole(asked: AskedEmbeddings, embeddings: Embeddings, input_tokens: int) -> Json:
    """The vectors in the order of the texts. `input_tokens` is what was counted, or an estimate."""
    say = _packed if asked.is_packed else list
    vectors = [
        {"object": "embedding", "index": index, "embedding": say(vector)}
        for index, vector in enumerate(embeddings.vectors)
    ]
    usage = {"prompt_tokens": input_tokens, "total_tokens": input_tokens}
    return {"object": "list", "data": vectors, "model": asked.request.model, "usage": usage}


def _texts_in(asked: Fields) -> tuple[str, ...]:
    given = asked.values.get("input")
    texts = (given,) if isinstance(given, str) else tuple(asked.items("input"))
    if not texts or not all(isinstance(text, str) for text in texts):
        raise BadRequest(
            "input: must be a text or a list of texts. Numbers of tokens mean something else to each model: "
            "send the texts themselves.",
            "input",
        )
    if len(texts) > MOST_TEXTS:
        raise BadRequest(f"input: at most {MOST_TEXTS} texts at a time. Ask in several requests.", "input")
    return tuple(map(str, texts))


def _packed(vector: tuple[float, ...]) -> str:
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return b64encode(numbers.tobytes()).decode()
