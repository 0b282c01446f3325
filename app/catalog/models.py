"""Connections to providers, and the models that were found there."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.database import Base
from app.core.ids import new_id


class Connection(Base):
    """One way to one provider. `name` is unique and URL-safe: the first half of `connection/model`."""

    __tablename__ = "connections"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    base_url: Mapped[str] = mapped_column(default="")
    encrypted_key: Mapped[str | None] = mapped_column(Text)
    key_hint: Mapped[str] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    last_error_at: Mapped[datetime | None]
    refreshed_at: Mapped[datetime | None]
    """When the list of models was last fetched well."""


class Model(Base):
    """A model of a connection. Abilities are None where the provider does not tell."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("connection_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    name: Mapped[str]
    display_name: Mapped[str]
    context_window: Mapped[int | None]
    max_output_tokens: Mapped[int | None]
    vision: Mapped[bool | None]
    tools: Mapped[bool | None]
    reasoning: Mapped[bool | None]
    embeddings: Mapped[bool | None]
    is_enabled: Mapped[bool] = mapped_column(default=False)
    found_at: Mapped[datetime] = mapped_column(default=now)
    missing_since: Mapped[datetime | None]
    """Set when a refresh no longer found it; it stays listed, with the reason, and cannot be used."""
