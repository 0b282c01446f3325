"""What Ollama's doors take and give, for /docs. Durations are nanoseconds."""

from app.v1.describing import count, either, flag, listed, number, operation, text, texts, thing, things
from app.v1.surface import Json

MODEL: dict[str, Json] = {"model": text("`connection/model`, or the model's own name where it is unique.")}
SETTINGS = MODEL | {
    "stream": flag("Answer piece by piece, as lines of JSON.", default=True),
    "format": either("The answer is JSON: `json`, or a JSON Schema.", text("`json`."), thing("A schema.")),
    "think": either(
        "Whether to think first: true, false, or how hard.", flag("On or off."), text("A level.")
    ),
    "options": thing(
        "`temperature`, `top_p`, `top_k`, `seed`, `stop`, `num_predict`, `presence_penalty`, `frequency_penalty`. "
        "What says how a model is loaded is decided by whoever runs it."
    ),
    "keep_alive": text("Accepted; how long models stay loaded is decided by whoever runs them."),
}
IMAGES = texts("PNG, JPEG, WebP or GIF as base64.")
CHAT_ASKED = SETTINGS | {
    "messages": things(
        "The conversation.",
        {
            "role": text("Who speaks.", enum=["system", "user", "assistant", "tool"]),
            "content": text("What is said."),
            "images": IMAGES,
            "tool_calls": things("Calls of tools that the assistant made."),
            "tool_name": text("The tool whose result this is."),
        },
    ),
    "tools": things("Functions that you run.", {"function": thing("`name`, `description`, `parameters`.")}),
}
GENERATE_ASKED = SETTINGS | {
    "prompt": text("What is asked."),
    "system": text("Instructions."),
    "images": IMAGES,
}
FIGURES = MODEL | {
    "created_at": text("When it was begun.", format="date-time"),
    "done": flag("Whether this is the last line."),
    "done_reason": text("Why it ended.", enum=["stop", "length", "content_filter"]),
    "total_duration": count("How long it took."),
    "prompt_eval_count": count("Tokens read."),
    "eval_count": count("Tokens written."),
}
CHAT_ANSWERED = FIGURES | {"message": thing("`content`, `thinking` and `tool_calls`.")}
GENERATE_ANSWERED = FIGURES | {"response": text("The answer."), "thinking": text("What was thought before.")}
LISTED = things(
    "Models.",
    {
        "name": text("`connection/model`."),
        "capabilities": texts("What it can do."),
        "details": thing("Its make."),
    },
)
NUMBERS = listed("The vector.", number("Between -1 and 1, as most models make them."))

LINES = "application/x-ndjson"
CHAT = operation(CHAT_ANSWERED, CHAT_ASKED, ("model", "messages"), LINES)
GENERATE = operation(GENERATE_ANSWERED, GENERATE_ASKED, ("model", "prompt"), LINES)
EMBED = operation(
    MODEL
    | {
        "embeddings": listed("One list of numbers for each text.", NUMBERS),
        "prompt_eval_count": count("Tokens read."),
    },
    MODEL
    | {
        "input": either("A text, or a list of texts.", text("A text."), texts("Texts.")),
        "dimensions": count("How long the lists are to be, for models that can choose."),
    },
    ("model", "input"),
)
EMBEDDINGS = operation({"embedding": NUMBERS}, MODEL | {"prompt": text("A text.")}, ("model", "prompt"))
TAGS = operation({"models": LISTED})
SHOW = operation(
    {
        "capabilities": texts("Of `completion`, `embedding`, `tools`, `vision` and `thinking`."),
        "model_info": thing("Among others `….context_length`, in tokens."),
        "details": thing("Its make."),
        "modified_at": text("When it was found here.", format="date-time"),
    },
    MODEL,
    ("model",),
)
PS = operation({"models": LISTED})
VERSION = operation({"version": text("The version of Ollama whose interface this is.")})
