"""Conversations: a chat is a tree of messages, of which one branch is being read."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.database import Base
from app.core.ids import new_id


class MessageRole(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"


class MessageStatus(StrEnum):
    PENDING = "pending"
    STREAMING = "streaming"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


WAS_METERED = "output_tokens IS NOT NULL"
WAS_RECORDED = "history_digest IS NOT NULL"
RUNNING = (MessageStatus.PENDING, MessageStatus.STREAMING)


class Chat(Base):
    """A conversation of one owner. `model` is `connection/model`, the one that answers next."""

    __tablename__ = "chats"
    __table_args__ = (Index("ix_chats_owner_id_last_activity_at", "owner_id", "last_activity_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    model: Mapped[str] = mapped_column(default="")
    system_prompt: Mapped[str | None] = mapped_column(Text)
    """None: the workspace's. Empty: none at all."""
    tip_id: Mapped[str | None]
    """The last message of the branch being read. No foreign key: those point down, from message to chat."""
    is_unread: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_activity_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]
    recorded_from: Mapped[str | None]
    """The API key whose calls are recorded here, empty for a browser's session. None: people write here themselves."""


class Message(Base):
    """A question or a reply. A reply's `content` only grows while it is `pending` or `streaming`."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("author_id", "request_key"),
        Index("ix_messages_chat_id_parent_id", "chat_id", "parent_id"),
        # The list of conversations asks which of them have a running reply, without reading their messages.
        Index("ix_messages_chat_id_status", "chat_id", "status"),
        Index("ix_messages_status_heartbeat_at", "status", "heartbeat_at"),
        # What a conversation cost is added up from this index alone, however long its texts are.
        Index(
            "ix_messages_chat_id_model_cost_micros",
            "chat_id",
            "model",
            "cost_micros",
            "tokens_are_estimated",
            sqlite_where=text(WAS_METERED),
            postgresql_where=text(WAS_METERED),
        ),
        Index(
            "ix_messages_history_digest",
            "history_digest",
            sqlite_where=text(WAS_RECORDED),
            postgresql_where=text(WAS_RECORDED),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    depth: Mapped[int] = mapped_column(default=0)
    """Messages between it and the start of the conversation."""
    role: Mapped[str]
    author_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    model: Mapped[str] = mapped_column(default="")
    content: Mapped[str] = mapped_column(Text, default="")
    reasoning: Mapped[str] = mapped_column(Text, default="")
    image_count: Mapped[int] = mapped_column(default=0)
    request_key: Mapped[str | None]
    """What the sender called this question, so that sending it twice by accident stores it once."""
    status: Mapped[str] = mapped_column(default=MessageStatus.FINISHED)
    error_code: Mapped[str] = mapped_column(default="")
    error_message: Mapped[str] = mapped_column(Text, default="")
    left_out: Mapped[int] = mapped_column(default=0)
    """How many earlier messages did not fit when this reply was asked for."""
    input_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    tokens_are_estimated: Mapped[bool] = mapped_column(default=False)
    cost_micros: Mapped[int | None] = mapped_column(BigInteger)
    """Micro-US-dollars, as the ledger has them. None: nothing was charged yet, or the model had no price."""
    api_key_id: Mapped[str | None]
    """The personal key with which this reply was asked for, if one was."""
    history_digest: Mapped[str | None]
    """Of recorded calls: what was said up to here, itself included, see `recorded_turns`."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    heartbeat_at: Mapped[datetime | None]
    first_token_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    paused_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    """Between its endings and its continuations: nobody was writing then."""
    reasoning_ms: Mapped[int | None]
    """From the first thought to the first word of the answer."""

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING

    @property
    def seconds_to_first_token(self) -> float | None:
        return (self.first_token_at - self.created_at).total_seconds() if self.first_token_at else None

    @property
    def seconds_in_all(self) -> float | None:
        """Without the pauses before it was continued."""
        if self.finished_at is None:
            return None
        return (self.finished_at - self.created_at).total_seconds() - self.paused_ms / 1000

    @property
    def is_reply(self) -> bool:
        return self.role == MessageRole.ASSISTANT


class MessageImage(Base):
    """An image that belongs to a question, and goes when the question goes."""

    __tablename__ = "message_images"
    __table_args__ = (Index("ix_message_images_message_id_position", "message_id", "position"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    position: Mapped[int]
    media_type: Mapped[str]
    size: Mapped[int]
    """In bytes."""
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)
    """Read only where it is asked for: a page needs to know that there is one, and nothing more."""
