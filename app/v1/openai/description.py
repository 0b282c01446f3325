"""What OpenAI's doors take and give, for /docs."""

from app.v1.describing import count, either, flag, listed, number, operation, text, texts, thing, things
from app.v1.openai.parameters import EFFORTS
from app.v1.surface import Json

MODEL = text("`connection/model`, or the model's own name where it is unique.")
STREAM = flag("Answer piece by piece, as server-sent events.", default=False)
TEMPERATURE = number("How freely words are chosen.", minimum=0, maximum=2)
TOP_P = number("Choose among the likeliest words that together have this probability.", minimum=0, maximum=1)
PARALLEL = flag("Whether several tools may be called at once.")
EFFORT = text("How long the model may think.", enum=list(EFFORTS))

SAMPLING: dict[str, Json] = {
    "stream": STREAM,
    "stream_options": thing(
        "How to stream.", {"include_usage": flag("End with a chunk that tells what was used.")}
    ),
    "temperature": TEMPERATURE,
    "top_p": TOP_P,
    "top_k": count("Choose among so many likeliest words.", minimum=0),
    "seed": count("The same seed, where a model keeps to it, gives the same answer."),
    "stop": either("The answer ends before any of these.", text("One."), texts("Several.")),
    "frequency_penalty": number("Avoid words the more, the oftener they came.", minimum=-2, maximum=2),
    "presence_penalty": number("Avoid words that came already.", minimum=-2, maximum=2),
}
ASKED_OF_CHAT = SAMPLING | {
    "model": MODEL,
    "messages": things(
        "The conversation. Parts of content are `text`, `image_url` (a `data:` URL) and `refusal`.",
        {
            "role": text("Who speaks.", enum=["system", "developer", "user", "assistant", "tool"]),
            "content": either("What is said.", text("A text."), things("Parts.")),
            "tool_calls": things("What the assistant called."),
            "tool_call_id": text("The call that a tool answers."),
        },
    ),
    "max_completion_tokens": count("At most so many tokens are written; `max_tokens` says the same."),
    "reasoning_effort": EFFORT,
    "response_format": thing(
        "`text`, `json_object`, or `json_schema` with a schema that the answer fits.",
        {"type": text("Which.", enum=["text", "json_object", "json_schema"])},
    ),
    "tools": things("Functions that you run.", {"type": text("`function`."), "function": thing("One.")}),
    "tool_choice": either(
        "Whether functions may, must or must not be called.",
        text("How.", enum=["auto", "required", "none"]),
        thing("The one that must be called."),
    ),
    "parallel_tool_calls": PARALLEL,
    "n": count("How many answers; more than one only where a provider speaks this language itself."),
    "logprobs": flag("How likely each token was; only where a provider speaks this language itself."),
}
USAGE = thing(
    "Tokens; what came from a cache is part of the prompt.",
    {
        "prompt_tokens": count("Read."),
        "completion_tokens": count("Written, thoughts included."),
        "total_tokens": count("Both."),
    },
)
ANSWERED: dict[str, Json] = {
    "id": text("Its name."),
    "object": text("What this is."),
    "created": count("Unix time in seconds."),
    "model": text(
        "As you asked for it, or as its provider calls it; the header `x-parley-model` tells which model wrote."
    ),
    "choices": things(
        "The answer, as one choice.",
        {
            "index": count("0."),
            "message": thing("`content`, `tool_calls`, and `reasoning_content` where the model thought."),
            "finish_reason": text("Why it ended.", enum=["stop", "length", "tool_calls", "content_filter"]),
        },
    ),
    "usage": USAGE,
}
ASKED_OF_COMPLETIONS = SAMPLING | {
    "model": MODEL,
    "prompt": text("What is to be continued; where a model only chats, what it is to answer."),
    "max_tokens": count("At most so many tokens are written.", minimum=1),
}
ASKED_OF_EMBEDDINGS: dict[str, Json] = {
    "model": MODEL,
    "input": either("What to embed.", text("A text."), texts("Several.")),
    "dimensions": count("How long vectors are, for models that can choose.", minimum=1),
    "encoding_format": text("Numbers, or 32-bit floats in base64.", enum=["float", "base64"]),
}
VECTORS: dict[str, Json] = {
    "object": text("`list`."),
    "data": things(
        "One for each text, in their order.",
        {
            "index": count("Of the text."),
            "embedding": either("The vector.", listed("Numbers.", number("One.")), text("In base64.")),
        },
    ),
    "model": text("As you asked for it."),
    "usage": thing("Tokens.", {"prompt_tokens": count("Read."), "total_tokens": count("The same.")}),
}
ASKED_OF_RESPONSES: dict[str, Json] = {
    "model": MODEL,
    "input": either(
        "A text, or the whole conversation: nothing is kept here. Items are `message`, `function_call`, "
        "`function_call_output`, `custom_tool_call`, `custom_tool_call_output` and `reasoning`.",
        text("A text."),
        things("Items."),
    ),
    "instructions": text("What the model is told first."),
    "stream": STREAM,
    "max_output_tokens": count("At most so many tokens are written.", minimum=1),
    "temperature": TEMPERATURE,
    "top_p": TOP_P,
    "reasoning": thing("How to think.", {"effort": EFFORT}),
    "text": thing("`format` is `text`, `json_object`, or `json_schema` with a `schema`."),
    "tools": things(
        "Tools that you run: `function`, `custom`, and `namespace` for several.",
        {
            "type": text("Which."),
            "name": text("What the model calls it."),
            "parameters": thing("JSON Schema."),
        },
    ),
    "tool_choice": ASKED_OF_CHAT["tool_choice"],
    "parallel_tool_calls": PARALLEL,
    "metadata": thing("Labels of yours; the answer repeats them."),
}
RESPONSE: dict[str, Json] = {
    "id": text("Its name."),
    "object": text("`response`."),
    "created_at": count("Unix time in seconds."),
    "status": text("How it ended.", enum=["completed", "incomplete", "failed"]),
    "model": text(
        "As you asked for it, or as its provider calls it; the header `x-parley-model` tells which model wrote."
    ),
    "output": things("Items: `reasoning`, `message`, `function_call`, `custom_tool_call`."),
    "incomplete_details": thing("Why it is incomplete; null when it is not."),
    "usage": thing("Tokens: `input_tokens`, `output_tokens`, `total_tokens`, and what of them was cached."),
}

EVENTS = "text/event-stream"
CHAT = operation(ANSWERED, ASKED_OF_CHAT, ("model", "messages"), EVENTS)
COMPLETIONS = operation(ANSWERED, ASKED_OF_COMPLETIONS, ("model", "prompt"), EVENTS)
EMBEDDINGS = operation(VECTORS, ASKED_OF_EMBEDDINGS, ("model", "input"))
RESPONSES = operation(RESPONSE, ASKED_OF_RESPONSES, ("model", "input"), EVENTS)
