"""The JSON shapes of conversations, complete enough to write a client from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.chats.images import LARGEST_IMAGE, MOST_IMAGES
from app.chats.models import Chat, Message, MessageImage
from app.chats.posting import LONGEST_KEY, LONGEST_PROMPT, LONGEST_TITLE

ModelName = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)]
Status = Literal["pending", "streaming", "finished", "stopped", "failed", "interrupted"]


class ChatBody(BaseModel):
    """A conversation."""

    id: str
    title: str
    model: str = Field(description="The model that answers next, as `connection/model`; empty: none chosen.")
    system_prompt: str | None = Field(description="null: the workspace's; empty: none.")
    recorded_from: str | None = Field(
        description="The id of the API key whose calls are recorded in it; null: people write here themselves."
    )
    created_at: datetime
    last_activity_at: datetime

    @classmethod
    def of(cls, chat: Chat) -> "ChatBody":
        return cls.model_validate(chat, from_attributes=True)


class ChatList(BaseModel):
    """One page of conversations, the most recent first."""

    chats: list[ChatBody]
    next: str | None = Field(description="Pass it as `before` for the next page; null: there is none.")


class ChatChange(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, StringConstraints(max_length=LONGEST_TITLE)] | None = None
    model: ModelName | None = None
    system_prompt: Annotated[str, StringConstraints(max_length=LONGEST_PROMPT)] | None = None


class NewChat(ChatChange):
    """A conversation to begin; everything may be left out."""


class ErrorBody(BaseModel):
    """Why a reply failed, and what to do about it."""

    code: str
    message: str


class ImageBody(BaseModel):
    """An image that belongs to a question."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description="Read it at `/api/chats/{chat_id}/messages/{message_id}/images/{id}`.")
    media_type: str
    size: int = Field(description="Bytes.")


class MessageBody(BaseModel):
    """A question or a reply."""

    id: str
    parent_id: str | None = Field(description="The message that it answers or follows.")
    role: Literal["user", "assistant"]
    content: str
    images: list[ImageBody]
    reasoning: str
    model: str = Field(description="Who wrote it, as `connection/model`; empty for people.")
    status: Status
    error: ErrorBody | None
    left_out: int = Field(description="Earlier messages that did not fit into the model's window.")
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    tokens_are_estimated: bool
    cost_micros: int | None = Field(
        description="Millionths of a US dollar; null: nothing was charged, or the model has no price."
    )
    created_at: datetime
    first_token_at: datetime | None
    finished_at: datetime | None
    paused_ms: int = Field(
        description="Milliseconds before it was continued, in which nobody wrote: no part of the time it took."
    )

    @classmethod
    def of(cls, message: Message, images: Sequence[MessageImage] = ()) -> "MessageBody":
        """`images` are those of the message."""
        error = (
            ErrorBody(code=message.error_code, message=message.error_message) if message.error_code else None
        )
        shown = [ImageBody.model_validate(image) for image in images]
        columns = {name: getattr(message, name) for name in cls.model_fields.keys() - {"error", "images"}}
        return cls(error=error, images=shown, **columns)


class MessageList(BaseModel):
    """One page of the branch being read, oldest first."""

    messages: list[MessageBody]
    next: str | None = Field(
        description="Pass it as `before` for earlier messages; null: this is the beginning."
    )


class NewMessage(BaseModel):
    """Something to say."""

    model_config = ConfigDict(extra="forbid")

    content: str = Field(min_length=1)
    model: ModelName = Field("", description="Who is to answer, from now on; empty: who answered last.")
    key: Annotated[str, StringConstraints(max_length=LONGEST_KEY)] | None = Field(
        None,
        description="A name of your own for this message: sending it again stores it only once. "
        "Another message needs another.",
    )
    images: list[str] = Field(
        default_factory=list,
        description=f"Up to {MOST_IMAGES} images in base64: JPEG, PNG or WebP of at most {LARGEST_IMAGE // 1_000_000} MB.",
    )


class VariantWish(BaseModel):
    """Who is to give another answer."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName = Field("", description="`connection/model`; empty: the conversation's.")


class BranchChoice(BaseModel):
    """A message on the branch to be read."""

    model_config = ConfigDict(extra="forbid")

    message_id: str


class Exchange(BaseModel):
    """A question with its reply."""

    question: MessageBody
    reply: MessageBody
