"""Chat completions: `POST /v1/chat/completions`."""

from app.providers.base import Request, Tool, ToolCall, ToolUse
from app.v1.fields import Fields
from app.v1.openai import errors, thoughts
from app.v1.openai.chat_messages import turns_in
from app.v1.openai.chat_stream import ChatWriter
from app.v1.openai.parameters import beyond, choices_in, effort_in, format_in, function, seed_in, stop_in
from app.v1.openai.usage import usage_of_chat
from app.v1.surface import Answer, Asked, BadRequest, Failure, Json

UNDERSTOOD = frozenset(
    {
        "frequency_penalty",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "stream",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)


class ChatCompletions:
    """The language that most clients speak."""

    media_type = "text/event-stream"

    def read(self, body: Json) -> Asked:
        asked = Fields(body)
        tools, foreign_tools = _tools_in(asked)
        tool_use, tool_name = _tool_choice_in(asked)
        options = asked.child("stream_options")
        request = Request(
            model=asked.needed_text("model"),
            turns=turns_in(asked),
            streaming=asked.flag("stream") or False,
            max_output_tokens=asked.count("max_completion_tokens", 1) or asked.count("max_tokens", 1),
            temperature=asked.number("temperature", 0, 2),
            tools=tools,
            reasoning_effort=effort_in(asked, "reasoning_effort"),
            tool_use=tool_use,
            tool_name=tool_name,
            parallel_tool_calls=asked.flag("parallel_tool_calls"),
            response_format=format_in(asked.child("response_format"), "json_schema"),
            stop=stop_in(asked),
            seed=seed_in(asked),
            top_p=asked.number("top_p", 0, 1),
            top_k=asked.count("top_k"),
            frequency_penalty=asked.number("frequency_penalty", -2, 2),
            presence_penalty=asked.number("presence_penalty", -2, 2),
        )
        return Asked(
            request,
            wants_usage=bool(options and options.flag("include_usage")),
            choices=choices_in(asked),
            beyond=beyond(body, UNDERSTOOD) + foreign_tools,
        )

    def whole(self, asked: Asked, answer: Answer) -> Json:
        choice = {
            "index": 0,
            "message": _message(answer),
            "logprobs": None,
            "finish_reason": answer.finish.value,
        }
        return {
            "id": f"chatcmpl-{answer.id}",
            "object": "chat.completion",
            "created": answer.created,
            "model": answer.model,
            "choices": [choice],
            "usage": usage_of_chat(answer.usage),
        }

    def writer(self, asked: Asked, answer: Answer) -> ChatWriter:
        return ChatWriter(answer, wants_usage=asked.wants_usage, choices=asked.choices)

    def error(self, failure: Failure) -> Json:
        return errors.envelope(failure)


def _tools_in(asked: Fields) -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """The functions that are offered, and where tools of another type stand."""
    functions, foreign = [], []
    for tool in asked.children("tools"):
        described = tool.child("function")
        if tool.needed_text("type") != "function":
            foreign.append(tool.path)
        elif described is None:
            raise tool.wrong("function", "is needed")
        else:
            functions.append(function(described))
    return tuple(functions), tuple(foreign)


def _tool_choice_in(asked: Fields) -> tuple[ToolUse | None, str | None]:
    """Whether tools must be used, and the name of the one that must be."""
    if not isinstance(asked.values.get("tool_choice"), dict):
        use = asked.choice("tool_choice", tuple(ToolUse))
        return (ToolUse(use) if use else None), None
    choice = asked.child("tool_choice")
    named = choice.child("function") if choice else None
    if named is None:
        raise BadRequest(
            "tool_choice: only “auto”, “none”, “required” or one function can be asked for.", "tool_choice"
        )
    return ToolUse.REQUIRED, named.needed_text("name")


def _message(answer: Answer) -> Json:
    says_nothing = bool(answer.tool_calls) and not answer.text
    message: Json = {"role": "assistant", "content": None if says_nothing else answer.text, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = [_tool_call(call) for call in answer.tool_calls]
    if text := thoughts.text_of(answer.thoughts):
        message["reasoning_content"] = text
    if any(map(thoughts.is_to_come_back, answer.thoughts)):
        message["reasoning_details"] = [thoughts.detail(thought) for thought in answer.thoughts]
    return message


def _tool_call(call: ToolCall) -> Json:
    # Clients parse the arguments, also where there are none.
    arguments = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": arguments}
