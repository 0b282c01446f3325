"""Responses: `POST /v1/responses`, the language of newer clients. Nothing is kept: each request says it all."""

from dataclasses import replace

from app.providers.base import Request
from app.v1.fields import Fields
from app.v1.openai import errors, responses_document, thoughts
from app.v1.openai.parameters import beyond, effort_in, format_in
from app.v1.openai.responses_input import passable, turns_in
from app.v1.openai.responses_items import message_item
from app.v1.openai.responses_stream import ResponseWriter
from app.v1.openai.responses_tools import call_item, choice_in, offered_in
from app.v1.surface import Answer, Asked, BadRequest, Failure, Json

UNDERSTOOD = frozenset(
    {
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "model",
        "parallel_tool_calls",
        "reasoning",
        "stream",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_p",
    }
)

KEPT_ELSEWHERE = {
    "previous_response_id": "no responses are kept here. Send the whole conversation as `input`",
    "conversation": "no conversations are kept here. Send the whole conversation as `input`",
    "prompt": "no prompts are kept here. Send the prompt's text as `instructions`",
}

LOGPROBS = "message.output_text.logprobs"


class Responses:
    """Items in, items out."""

    media_type = "text/event-stream"

    def read(self, body: Json) -> Asked:
        asked = Fields(body)
        _refuse_what_is_kept_elsewhere(asked)
        offered = offered_in(asked)
        tool_use, tool_name = choice_in(asked)
        reasoning, text = asked.child("reasoning"), asked.child("text")
        request = Request(
            model=asked.needed_text("model"),
            turns=turns_in(asked),
            streaming=asked.flag("stream") or False,
            max_output_tokens=asked.count("max_output_tokens", 1),
            temperature=asked.number("temperature", 0, 2),
            tools=tuple(offered.tools),
            reasoning_effort=effort_in(reasoning, "effort") if reasoning else None,
            tool_use=tool_use,
            tool_name=tool_name,
            parallel_tool_calls=asked.flag("parallel_tool_calls"),
            response_format=format_in(text.child("format")) if text else None,
            top_p=asked.number("top_p", 0, 1),
        )
        return Asked(
            request,
            wants_usage=True,
            echo=responses_document.echo_of(asked),
            beyond=(*beyond(body, UNDERSTOOD), *_beyond_inside(asked, text), *offered.foreign),
            passable=passable(body),
        )

    def whole(self, asked: Asked, answer: Answer) -> Json:
        response = responses_document.begun(answer, asked.echo)
        return responses_document.ended(response, answer, _output(asked, answer))

    def writer(self, asked: Asked, answer: Answer) -> ResponseWriter:
        response = responses_document.begun(answer, asked.echo)
        return ResponseWriter(response, answer.id, offered_in(Fields(dict(asked.echo))).origins)

    def error(self, failure: Failure) -> Json:
        return errors.envelope(failure)


def _refuse_what_is_kept_elsewhere(asked: Fields) -> None:
    for name, why in KEPT_ELSEWHERE.items():
        if name in asked:
            raise BadRequest(f"{name}: {why}.", name)


def _beyond_inside(asked: Fields, text: Fields | None) -> tuple[str, ...]:
    """Parameters without a word of ours that stand inside others."""
    names = []
    if LOGPROBS in asked.items("include"):
        names.append("include")
    if text and text.text("verbosity") not in (None, "medium"):
        names.append("text.verbosity")
    return tuple(names)


def _output(asked: Asked, answer: Answer) -> list[Json]:
    origins = offered_in(Fields(dict(asked.echo))).origins
    status = responses_document.status_of(answer)
    thinking = [
        thoughts.reasoning_item(thought, f"rs_{answer.id}_{number}")
        for number, thought in enumerate(answer.thoughts)
    ]
    calls = [
        call_item(
            replace(call, arguments=call.arguments or "{}"), origins, f"fc_{answer.id}_{number}", status
        )
        for number, call in enumerate(answer.tool_calls)
    ]
    says_nothing = not answer.text and (thinking or calls)
    text = [] if says_nothing else [message_item(f"msg_{answer.id}", answer.text, status)]
    return [*thinking, *text, *calls]
