"""What programs send over a socket: one JSON object in each frame, told apart by `type`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.chats.schemas import NewMessage

LONGEST_POSITION = 1_000_000_000


class MessageFrame(NewMessage):
    """Something to say."""

    type: Literal["message"]


class StopFrame(BaseModel):
    """Stop a reply; what it said so far is kept."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["stop"]
    message_id: str


class FollowFrame(BaseModel):
    """Be told how a reply goes on after its first `position` characters."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["follow"]
    message_id: str
    position: int = Field(0, ge=0, le=LONGEST_POSITION)


Frame = MessageFrame | StopFrame | FollowFrame
FRAME: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])
