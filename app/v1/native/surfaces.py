"""One prompt and its answer, in Parley's own words: `POST /api/generate`."""

from app.live.formats import LINES, Format, Happening
from app.providers.base import Image, Request, Role, Turn
from app.providers.events import Event, ReasoningDelta, TextDelta
from app.v1.fields import Fields
from app.v1.images import DATA_URL, image_from_base64, image_from_url
from app.v1.surface import Answer, Asked, BadRequest, Failure, Json

UNDERSTOOD = frozenset(
    "model prompt system images max_output_tokens temperature top_p stop seed reasoning_effort".split()
)
MOST_IMAGES = 8
EFFORTS = ("none", "minimal", "low", "medium", "high")


class Generation:
    """A Surface. `style` is that of a stream; None: the answer is wanted whole."""

    def __init__(self, style: Format | None) -> None:
        self._style = style
        self._writing = style or LINES
        self.media_type = self._writing.media_type

    def read(self, body: Json) -> Asked:
        if unknown := sorted(body.keys() - UNDERSTOOD):
            raise BadRequest(f"{unknown[0][:100]}: nothing of this name is known here.", unknown[0][:100])
        asked = Fields(body)
        request = Request(
            model=asked.needed_text("model"),
            turns=_turns_in(asked),
            streaming=self._style is not None,
            max_output_tokens=asked.count("max_output_tokens", least=1),
            temperature=asked.number("temperature", 0, 2),
            top_p=asked.number("top_p", 0, 1),
            stop=asked.texts("stop"),
            seed=asked.count("seed"),
            reasoning_effort=asked.choice("reasoning_effort", EFFORTS),
        )
        return Asked(request, is_conversation=False)

    def whole(self, asked: Asked, answer: Answer) -> Json:
        return whole(answer)

    def writer(self, asked: Asked, answer: Answer) -> "GenerationWriter":
        return GenerationWriter(self._writing, answer)

    def error(self, failure: Failure) -> Json:
        return envelope(failure)


class GenerationWriter:
    """One streamed answer: `start`, then `thought` and `delta`, at the end `done` or `error`."""

    def __init__(self, style: Format, answer: Answer) -> None:
        self._style = style
        self._start = style.write(Happening("start", {"id": answer.id, "model": answer.model}))
        self._length = 0

    def feed(self, event: Event) -> bytes:
        match event:
            case TextDelta(text):
                self._length += len(text)
                return self._begun() + self._style.write(Happening("delta", {"text": text}, self._length))
            case ReasoningDelta(text):
                return self._begun() + self._style.write(Happening("thought", {"text": text}))
        return b""

    def end(self, answer: Answer) -> bytes:
        return self._begun() + self._style.write(Happening("done", whole(answer)))

    def failed(self, failure: Failure) -> bytes:
        return self._begun() + self._style.write(Happening("error", described(failure)))

    def _begun(self) -> bytes:
        start, self._start = self._start, b""
        return start


def whole(answer: Answer) -> Json:
    usage = answer.usage
    return {
        "id": answer.id,
        "model": answer.model,
        "content": answer.text,
        "reasoning": "\n\n".join(thought.text for thought in answer.thoughts if thought.text),
        "finish_reason": answer.finish.value,
        "input_tokens": usage.input,
        "cached_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "tokens_are_estimated": answer.is_estimate,
        "total_ms": answer.total_ms,
    }


def envelope(failure: Failure) -> Json:
    """As all of `/api` says errors."""
    return {"error": described(failure)}


def described(failure: Failure) -> Json:
    field = {"field": failure.parameter} if failure.parameter else {}
    return {"code": failure.code, "message": failure.message, **field}


def _turns_in(asked: Fields) -> tuple[Turn, ...]:
    system = asked.text("system")
    images = asked.texts("images")
    if len(images) > MOST_IMAGES:
        raise asked.wrong("images", f"must be at most {MOST_IMAGES}")
    read = tuple(_image(data, f"images.{index}") for index, data in enumerate(images))
    told = (Turn(Role.SYSTEM, system),) if system else ()
    return (*told, Turn(Role.USER, asked.needed_text("prompt"), images=read))


def _image(data: str, parameter: str) -> Image:
    read = image_from_url if data.startswith(DATA_URL) else image_from_base64
    return read(data, parameter)
