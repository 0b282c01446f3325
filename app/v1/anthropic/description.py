"""What Anthropic's doors take and give, for /docs."""

from app.v1.describing import count, either, flag, number, operation, text, texts, thing, things
from app.v1.surface import Json

CONTENT = either("A text, or blocks of content.", text("A text."), things("Blocks."))
CONVERSATION: dict[str, Json] = {
    "model": text("`connection/model`, or the model's own name where it is unique."),
    "messages": things(
        "The conversation. Blocks are `text`, `image` (base64), `tool_use`, `tool_result`, `thinking`, "
        "`redacted_thinking` and `document` (plain text); others reach Anthropic's own models only.",
        {"role": text("Who speaks.", enum=["user", "assistant", "system"]), "content": CONTENT},
    ),
    "system": either("Instructions, as a text or as blocks of text.", text("A text."), things("Blocks.")),
    "tools": things(
        "Tools that you run.",
        {
            "name": text("What the model calls it."),
            "description": text("What it does."),
            "input_schema": thing("JSON Schema of its arguments."),
        },
    ),
    "tool_choice": thing(
        "Whether tools may, must or must not be called.",
        {
            "type": text("How.", enum=["auto", "any", "tool", "none"]),
            "name": text("The tool, for `tool`."),
            "disable_parallel_tool_use": flag("At most one call at a time."),
        },
    ),
    "thinking": thing(
        "Whether the model thinks before it answers.",
        {
            "type": text("How.", enum=["adaptive", "enabled", "disabled"]),
            "budget_tokens": count("At most so many tokens, for `enabled`.", minimum=1024),
        },
    ),
    "output_config": thing("`effort` from `low` to `max`; `format` with a JSON Schema."),
}
ASKED = CONVERSATION | {
    "max_tokens": count("At most so many tokens are written.", minimum=1),
    "stream": flag("Answer piece by piece, as server-sent events.", default=False),
    "temperature": number("How freely words are chosen.", minimum=0, maximum=1),
    "top_p": number("Choose among the likeliest words that together have this probability."),
    "top_k": count("Choose among so many likeliest words."),
    "stop_sequences": texts("The answer ends before any of these."),
}
USAGE = thing(
    "Tokens; what came from a cache is counted beside the input.",
    {
        "input_tokens": count("Read."),
        "output_tokens": count("Written, thoughts included."),
        "cache_read_input_tokens": count("Read from a cache."),
        "cache_creation_input_tokens": count("Written to a cache."),
    },
)
ANSWERED: dict[str, Json] = {
    "id": text("Its name."),
    "type": text("`message`."),
    "role": text("`assistant`."),
    "model": text("As you asked for it; the header `x-parley-model` tells which model wrote."),
    "content": things("Blocks: `thinking`, `redacted_thinking`, `text`, `tool_use`."),
    "stop_reason": text(
        "Why it ended.", enum=["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"]
    ),
    "stop_sequence": text("The stop sequence that ended it; null for none."),
    "usage": USAGE,
}
COUNTED: dict[str, Json] = {
    "input_tokens": count(
        "How many tokens the request is: as Anthropic counts for models of its own, else about so many."
    )
}

MESSAGES = operation(ANSWERED, ASKED, ("model", "messages", "max_tokens"), "text/event-stream")
COUNT_TOKENS = operation(COUNTED, CONVERSATION, ("model", "messages"))
