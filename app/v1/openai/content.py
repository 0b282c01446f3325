"""What a message says, in the shapes of chat completions and of Responses: a text, or parts of several types."""

from collections.abc import Callable

from app.providers.base import Image, Role, Turn
from app.v1.fields import Fields
from app.v1.images import image_from_url
from app.v1.surface import BadRequest

Content = tuple[str | Image, ...]


def turn_of(role: Role, content: Content, *, tool_call_id: str | None = None) -> Turn:
    """One turn that says `content`. Texts without images between them are one text."""
    if any(isinstance(part, Image) for part in content):
        return Turn(role, parts=content, tool_call_id=tool_call_id)
    return Turn(role, text_of(content), tool_call_id=tool_call_id)


def content_at(message: Fields, name: str = "content") -> Content:
    """Text and images at `name`, in their order; nothing when it is missing. Raises BadRequest."""
    given = message.values.get(name)
    if isinstance(given, str):
        return (given,)
    if given is not None and not isinstance(given, list):
        raise message.wrong(name, "must be a text or a list of parts")
    return tuple(_part(part) for part in message.children(name))


def text_of(content: Content) -> str:
    """The texts of `content`, one below the other."""
    return "\n".join(part for part in content if isinstance(part, str))


def _part(part: Fields) -> str | Image:
    kind = part.needed_text("type")
    if kind not in PARTS:
        raise BadRequest(
            f"{part.at('type')}: parts of type “{kind[:40]}” are not read here. Send text, or an image as base64.",
            part.at("type"),
        )
    return PARTS[kind](part)


def _text(part: Fields) -> str:
    return part.text("text") or ""


def _refusal(part: Fields) -> str:
    return part.text("refusal") or ""


def _image_of_chat(part: Fields) -> Image:
    image = part.child("image_url")
    if image is None:
        raise part.wrong("image_url", "is needed")
    return image_from_url(image.needed_text("url"), image.at("url"))


def _image_of_responses(part: Fields) -> Image:
    if "file_id" in part:
        raise part.wrong("file_id", "no files are kept here. Send the image itself as base64")
    return image_from_url(part.needed_text("image_url"), part.at("image_url"))


PARTS: dict[str, Callable[[Fields], str | Image]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "image_url": _image_of_chat,
    "input_image": _image_of_responses,
}
