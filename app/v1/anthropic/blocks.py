"""Single blocks of content in Anthropic's words: text, images, documents, thoughts and calls of tools."""

from app.providers.base import Image, Thought, ToolCall
from app.v1.arguments import as_text
from app.v1.fields import Fields
from app.v1.images import image_from_base64


class OnlyForAnthropic(Exception):
    """What stands at `where` can be said to no other vendor: it must reach Anthropic as it came."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def blocks_at(source: Fields, name: str) -> list[Fields]:
    """The blocks at `name`, where a bare text stands for one block of text."""
    if isinstance(source.values.get(name), str):
        text = source.text(name)
        return [Fields({"type": "text", "text": text}, source.at(name))] if text else []
    return source.children(name)


def text_at(source: Fields, name: str) -> str:
    """Blocks that may only be text, as one text."""
    return "\n\n".join(text_in(block) for block in blocks_at(source, name))


def text_in(block: Fields) -> str:
    """Raises BadRequest for a block that is no text."""
    block.choice("type", ("text",))
    return block.text("text") or ""


def part_in(block: Fields) -> str | Image:
    """Text or image of a block. Raises OnlyForAnthropic for any other."""
    match block.needed_text("type"):
        case "text":
            return text_in(block)
        case "image":
            return _image(block)
        case "document":
            return _document(block)
        case _:
            raise OnlyForAnthropic(block.path)


def thought_in(block: Fields) -> Thought:
    if block.text("type") == "redacted_thinking":
        return Thought(redacted=block.needed_text("data"))
    return Thought(block.text("thinking") or "", signature=block.text("signature") or "")


def call_in(block: Fields) -> ToolCall:
    needed = block.child("input")
    arguments = as_text(needed.values if needed else {})
    return ToolCall(block.needed_text("id"), block.needed_text("name"), arguments)


def _image(block: Fields) -> Image:
    source = block.needed_child("source")
    if source.needed_text("type") != "base64":
        # Anthropic itself fetches images from addresses, and keeps files: this server does neither.
        raise OnlyForAnthropic(block.path)
    return image_from_base64(source.needed_text("data"), source.at("data"))


def _document(block: Fields) -> str:
    """A document that is plain text, under its title."""
    source, citations = block.needed_child("source"), block.child("citations")
    if source.text("type") != "text" or (citations and citations.flag("enabled")):
        raise OnlyForAnthropic(block.path)
    told = (block.text("title"), block.text("context"), source.needed_text("data"))
    return "\n\n".join(text for text in told if text)
