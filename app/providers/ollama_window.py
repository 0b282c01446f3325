"""How large a context window to ask Ollama for.

Left alone, Ollama takes 4,096 tokens on most machines and silently drops what does not fit. The model's whole
window would be safe, but its memory is reserved at once: 128k tokens fill many a graphics card. So: what the
request needs, rounded up in steps, because every change of the window loads the model anew.
"""

from app.providers.base import Request, Tool, Turn

SMALLEST_WINDOW = 8_192
ROOM_FOR_THE_ANSWER = 4_096
BYTES_PER_TOKEN = 3
"""Fewer than any language needs on average: too large a window costs memory, too small a one costs words."""
TOKENS_PER_TURN = 10
TOKENS_PER_IMAGE = 1_600


def window_for(request: Request, beside: int = 0) -> int:
    """Tokens for `num_ctx`: twice 8,192 and twice that again until the request fits, at most the model's own.

    `beside`: how many tokens are read that stand in no turn.
    """
    needed = beside + _tokens_in(request) + (request.max_output_tokens or ROOM_FOR_THE_ANSWER)
    window = SMALLEST_WINDOW
    while window < needed:
        window *= 2
    return min(window, request.context_window or window)


def _tokens_in(request: Request) -> int:
    turns = sum(_tokens_in_turn(turn) for turn in request.turns)
    return turns + sum(_tokens_in_tool(tool) for tool in request.tools)


def _tokens_in_turn(turn: Turn) -> int:
    calls = sum(tokens_in(call.name + call.arguments) for call in turn.tool_calls)
    thoughts = sum(tokens_in(thought.text) for thought in turn.thoughts)
    images = TOKENS_PER_IMAGE * len(turn.all_images)
    return tokens_in(turn.all_text) + calls + thoughts + images + TOKENS_PER_TURN


def _tokens_in_tool(tool: Tool) -> int:
    return tokens_in(f"{tool.name}{tool.description}{tool.parameters}")


def tokens_in(text: str) -> int:
    return len(text.encode()) // BYTES_PER_TOKEN + 1
