"""Anthropic's Messages interface: how its clients are read and answered."""

from app.v1.anthropic import answers, failures
from app.v1.anthropic.reading import asked_in
from app.v1.anthropic.writing import MessageWriter
from app.v1.surface import Answer, Asked, Failure, Json


class Messages:
    """`POST /v1/messages`, a Surface."""

    media_type = "text/event-stream"

    def read(self, body: Json) -> Asked:
        return asked_in(body)

    def whole(self, asked: Asked, answer: Answer) -> Json:
        return answers.message(answer)

    def writer(self, asked: Asked, answer: Answer) -> MessageWriter:
        return MessageWriter(answer)

    def error(self, failure: Failure) -> Json:
        return failures.envelope(failure)
