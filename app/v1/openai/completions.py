"""Completions, the oldest interface: `POST /v1/completions`.

Where a provider has it, the prompt goes on to be continued; everywhere else it becomes a turn of a chat.
"""

import orjson

from app.providers.base import Request, Role, Turn
from app.providers.events import Event, TextDelta
from app.v1.fields import Fields
from app.v1.openai import errors
from app.v1.openai.chat_stream import DONE, data_line
from app.v1.openai.parameters import beyond, choices_in, seed_in, stop_in
from app.v1.openai.usage import usage_of_chat
from app.v1.surface import Answer, Asked, BadRequest, Failure, Json

UNDERSTOOD = frozenset(
    {
        "frequency_penalty",
        "max_tokens",
        "model",
        "presence_penalty",
        "prompt",
        "seed",
        "stop",
        "stream",
        "temperature",
        "top_k",
        "top_p",
    }
)
END_OF_CHUNK = b',"logprobs":null,"finish_reason":null}]}\n\n'


class Completions:
    """One prompt, one text."""

    media_type = "text/event-stream"

    def read(self, body: Json) -> Asked:
        asked = Fields(body)
        options = asked.child("stream_options")
        request = Request(
            model=asked.needed_text("model"),
            turns=(Turn(Role.USER, _prompt_in(asked)),),
            streaming=asked.flag("stream") or False,
            max_output_tokens=asked.count("max_tokens", 1),
            temperature=asked.number("temperature", 0, 2),
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
            beyond=beyond(body, UNDERSTOOD),
            is_conversation=False,
        )

    def whole(self, asked: Asked, answer: Answer) -> Json:
        finish = {"logprobs": None, "finish_reason": answer.finish.value}
        choices = [{"index": 0, "text": answer.text, **finish}]
        return {**_start(answer), "choices": choices, "usage": usage_of_chat(answer.usage)}

    def writer(self, asked: Asked, answer: Answer) -> "CompletionWriter":
        return CompletionWriter(answer, wants_usage=asked.wants_usage)

    def error(self, failure: Failure) -> Json:
        return errors.envelope(failure)


class CompletionWriter:
    """`data: {chunk}` for each piece of text; there is no place for anything else."""

    def __init__(self, answer: Answer, *, wants_usage: bool) -> None:
        self._start = _start(answer)
        self._wants_usage = wants_usage
        self._text = b"data: " + orjson.dumps(self._start)[:-1] + b',"choices":[{"index":0,"text":'

    def feed(self, event: Event) -> bytes:
        if type(event) is TextDelta:
            return self._text + orjson.dumps(event.text) + END_OF_CHUNK
        return b""

    def end(self, answer: Answer) -> bytes:
        choice = {"index": 0, "text": "", "logprobs": None, "finish_reason": answer.finish.value}
        said = data_line(self._start | {"choices": [choice]})
        if self._wants_usage:
            said += data_line(self._start | {"choices": [], "usage": usage_of_chat(answer.usage)})
        return said + DONE

    def end_of_passed(self, answer: Answer, last: bytes) -> bytes:
        return self.end(answer)

    def failed(self, failure: Failure) -> bytes:
        return data_line(errors.envelope(failure))


def _prompt_in(asked: Fields) -> str:
    given = asked.values.get("prompt")
    prompts = given if isinstance(given, list) else [given]
    match prompts:
        case [str(prompt)]:
            return prompt
    raise BadRequest("prompt: must be one text. Ask once for each, and send no numbers of tokens.", "prompt")


def _start(answer: Answer) -> Json:
    return {
        "id": f"cmpl-{answer.id}",
        "object": "text_completion",
        "created": answer.created,
        "model": answer.model,
    }
