"""What a model thought, said to clients so that they can send it back unchanged.

Chat completions have no place for it; the one that many clients know is `reasoning_content` for the text, and
`reasoning_details` where a vendor's proof goes with it. Responses have reasoning items.
"""

from app.providers.base import Thought
from app.v1.fields import Fields
from app.v1.surface import Json

SIGNED = "parley-signed:"
REDACTED = "parley-redacted:"
"""How `encrypted_content` begins that came from here. What another vendor's begins with is of no use to ours."""


def text_of(thoughts: tuple[Thought, ...]) -> str:
    """What people may read of `thoughts`."""
    return "\n\n".join(thought.text for thought in thoughts if thought.text)


def detail(thought: Thought) -> Json:
    """One of a message's `reasoning_details`."""
    if thought.redacted:
        return {"type": "reasoning.encrypted", "data": thought.redacted}
    return {"type": "reasoning.text", "text": thought.text, "signature": thought.signature}


def is_to_come_back(thought: Thought) -> bool:
    """Whether its vendor wants it back as it was."""
    return bool(thought.signature or thought.redacted)


def thoughts_in(message: Fields) -> tuple[Thought, ...]:
    """The thoughts that a chat's assistant message brings back."""
    details = tuple(_from_detail(given) for given in message.children("reasoning_details"))
    text = message.text("reasoning_content") or message.text("reasoning")
    return details or ((Thought(text),) if text else ())


def _from_detail(given: Fields) -> Thought:
    if data := given.text("data"):
        return Thought(redacted=data)
    return Thought(given.text("text") or given.text("summary") or "", given.text("signature") or "")


def reasoning_item(thought: Thought, item_id: str) -> Json:
    """The item of a response."""
    item: Json = {"id": item_id, "type": "reasoning", "summary": [_summary(thought)] if thought.text else []}
    if thought.redacted:
        item["encrypted_content"] = REDACTED + thought.redacted
    elif thought.signature:
        item["encrypted_content"] = SIGNED + thought.signature
    return item


def thought_in(item: Fields) -> Thought:
    """The thought of a reasoning item that comes back; an empty one when we cannot use it."""
    sealed = item.text("encrypted_content") or ""
    parts = item.children("summary") or item.children("content")
    return Thought(
        text="\n\n".join(part.text("text") or "" for part in parts),
        signature=sealed.removeprefix(SIGNED) if sealed.startswith(SIGNED) else "",
        redacted=sealed.removeprefix(REDACTED) if sealed.startswith(REDACTED) else "",
    )


def is_openais(item: Json) -> bool:
    """Whether OpenAI, which keeps nothing for us, would know the thought of a reasoning item again."""
    sealed = item.get("encrypted_content")
    return isinstance(sealed, str) and bool(sealed) and not sealed.startswith((SIGNED, REDACTED))


def _summary(thought: Thought) -> Json:
    return {"type": "summary_text", "text": thought.text}
