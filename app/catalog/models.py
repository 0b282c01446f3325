"""Connections to providers, and the models that were found there."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.changes import WATCHED
from app.core.clock import now
from app.core.database import Base
from app.core.ids import new_id


class Connection(Base):
    """One way to one provider.

    `name` is unique, URL-safe and stays: the first half of `connection/model`. `label` is what people see
    and may change.
    """

    __tablename__ = "connections"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    kind: Mapped[str]
    base_url: Mapped[str] = mapped_column(default="")
    encrypted_key: Mapped[str | None] = mapped_column(Text)
    key_hint: Mapped[str] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    is_restricted: Mapped[bool] = mapped_column(default=False)
    """Only the groups in `connection_groups` may use it; with none left nobody but administrators may."""
    is_local: Mapped[bool] = mapped_column(default=False)
    """What is sent to it stays in the house: an alias does not go on to a connection outside of it."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    """When its address or key was last set: what was heard before counts no more."""
    last_success_at: Mapped[datetime | None]
    last_answer_ms: Mapped[int | None]
    """How long the last test or refresh took."""
    last_error_code: Mapped[str] = mapped_column(default="")
    last_error: Mapped[str] = mapped_column(Text, default="")
    last_remedy: Mapped[str] = mapped_column(Text, default="")
    last_error_at: Mapped[datetime | None]
    refreshed_at: Mapped[datetime | None]
    """When the list of models was last fetched well."""
    refresh_tried_at: Mapped[datetime | None]
    """When it was last asked for, well or not: a failing provider is not asked again every minute."""

    @property
    def is_failing(self) -> bool:
        """Whether the newest thing heard of it is an error."""
        if self.last_error_at is None:
            return False
        return self.last_success_at is None or self.last_error_at > self.last_success_at


class Model(Base):
    """A model of a connection. Abilities are None where the provider does not tell."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("connection_id", "name"), {"info": WATCHED})

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
    family: Mapped[str | None]
    parameters: Mapped[str | None]
    """How many, as people write it: `7.6B`."""
    quantization: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    """Bytes on disk."""
    is_enabled: Mapped[bool] = mapped_column(default=False)
    is_restricted: Mapped[bool] = mapped_column(default=False)
    """Only the groups in `model_groups` may use it, as far as the connection lets them."""
    found_at: Mapped[datetime] = mapped_column(default=now)
    missing_since: Mapped[datetime | None]
    """Set when a refresh no longer found it; it stays listed, with the reason, and cannot be used."""

    @property
    def abilities(self) -> tuple[str, ...]:
        """What it is known to do, of `vision`, `tools`, `reasoning` and `embeddings`."""
        known = ("vision", "tools", "reasoning", "embeddings")
        return tuple(name for name in known if getattr(self, name))


class ConnectionKey(Base):
    """One more key of a connection, beside its own: they share the load."""

    __tablename__ = "connection_keys"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"), index=True)
    encrypted_key: Mapped[str] = mapped_column(Text)
    key_hint: Mapped[str]


class Alias(Base):
    """A name that stands for several models, such as `fast`. It has no slash, which tells it from a full name."""

    __tablename__ = "aliases"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    is_weighted: Mapped[bool] = mapped_column(default=False)
    """Calls are shared out by weight; else the first model that can answers."""
    allows_cloud: Mapped[bool] = mapped_column(default=False)
    """What a local model cannot answer may go on to one outside of the house."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class AliasTarget(Base):
    """A model behind an alias, by its full name: it keeps its place while a provider does not offer it."""

    __tablename__ = "alias_targets"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    alias_id: Mapped[str] = mapped_column(ForeignKey("aliases.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str]
    weight: Mapped[int] = mapped_column(default=1)


class ConnectionGroup(Base):
    """A group that may use a restricted connection."""

    __tablename__ = "connection_groups"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    connection_id: Mapped[str] = mapped_column(
        ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ModelGroup(Base):
    """A group that may use a restricted model."""

    __tablename__ = "model_groups"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class LoadState(StrEnum):
    LOADING = "loading"
    UNLOADING = "unloading"
    DONE = "done"
    FAILED = "failed"


FORGOTTEN_AFTER = timedelta(seconds=30)
"""Without a sign of life; six are given in that time."""


class ModelLoad(Base):
    """The last time that somebody told a local server to load a model or to let go of it."""

    __tablename__ = "model_loads"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str]
    error: Mapped[str] = mapped_column(Text, default="")
    """Why it failed, and what to do; empty otherwise."""
    is_exclusive: Mapped[bool] = mapped_column(default=False)
    """Whether all others are unloaded first."""
    started_at: Mapped[datetime] = mapped_column(default=now)
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)
    """Whoever waits for the server renews it: an old one means that nobody does any more."""
    ended_at: Mapped[datetime | None]
    last_load_seconds: Mapped[int | None]
    """How long it took when it was last loaded; None while nobody had it loaded."""

    def state_at(self, moment: datetime) -> LoadState:
        """What has become of it; failed when nobody waits for the server any more."""
        state = LoadState(self.state)
        is_under_way = state in (LoadState.LOADING, LoadState.UNLOADING)
        return LoadState.FAILED if is_under_way and moment - self.heartbeat_at > FORGOTTEN_AFTER else state

    def is_under_way_at(self, moment: datetime) -> bool:
        return self.state_at(moment) in (LoadState.LOADING, LoadState.UNLOADING)
