"""What `/docs` says of /api/generate and /api/embeddings."""

from app.v1.describing import count, flag, number, operation, text, texts
from app.v1.native.surfaces import EFFORTS, MOST_IMAGES

USE = {
    "input_tokens": count("What was read."),
    "tokens_are_estimated": flag("Whether the provider did not tell, and they were estimated."),
    "total_ms": count("Milliseconds from the call to the last word."),
}
GENERATE = operation(
    {
        "id": text("Of this answer."),
        "model": text("As it was asked for."),
        "content": text("The answer."),
        "reasoning": text("What the model thought before, where it tells."),
        "finish_reason": text("`stop`, `length` or `content_filter`."),
        "output_tokens": count("What was written, reasoning included."),
        "cached_tokens": count("How much of the input came from a cache."),
        "reasoning_tokens": count("How much of the output was reasoning."),
        **USE,
    },
    {
        "model": text("`connection/model`, or an alias."),
        "prompt": text("What to answer."),
        "system": text("How to answer."),
        "images": texts(f"Up to {MOST_IMAGES} images in base64: JPEG, PNG, WebP or GIF."),
        "max_output_tokens": count("The longest answer wanted, in tokens."),
        "temperature": number("From 0 to 2."),
        "top_p": number("From 0 to 1."),
        "stop": texts("Where to stop."),
        "seed": count("For answers that repeat, where the provider can."),
        "reasoning_effort": text(f"One of {', '.join(EFFORTS)}."),
    },
    ("model", "prompt"),
    streams="text/event-stream",
)
EMBEDDINGS = operation(
    {
        "model": text("The model that made them, `connection/model`."),
        "embeddings": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        **USE,
    },
    {
        "model": text("`connection/model`, or an alias."),
        "input": texts("The texts, at most 2,048; a single text may stand alone."),
        "dimensions": count("How long the vectors are to be, for models that can choose."),
    },
    ("model", "input"),
)
