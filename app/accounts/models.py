"""People, how they prove who they are, and the log of what was done."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.database import Base
from app.core.ids import new_id


class UserRole(StrEnum):
    ADMINISTRATOR = "administrator"
    MEMBER = "member"


class User(Base):
    """A person. `username` and `email` are stored in lower case; `name` is what others see."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(default=UserRole.MEMBER)
    timezone: Mapped[str] = mapped_column(default="UTC")
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]

    @property
    def is_administrator(self) -> bool:
        return self.role == UserRole.ADMINISTRATOR

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def initials(self) -> str:
        words = self.name.split() or [self.username]
        letters = words[0][:2] if len(words) == 1 else words[0][:1] + words[-1][:1]
        return letters.upper()


class SignInSession(Base):
    """One signed-in browser. The cookie names this row; when the row ends, so does the sign-in."""

    __tablename__ = "sign_in_sessions"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    renewed_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")


class Invitation(Base):
    """A link that makes one account. Only a keyed hash of its token is stored."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default=UserRole.MEMBER)
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    withdrawn_at: Mapped[datetime | None]


class ApiKey(Base):
    """A personal key for scripts. `prefix` tells keys apart; the key itself is kept as a keyed hash."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInAttempts(Base):
    """How often signing in failed lately, for one account or one address (`subject` is a keyed hash)."""

    __tablename__ = "sign_in_attempts"

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_failure_at: Mapped[datetime] = mapped_column(default=now)


class AuditEvent(Base):
    """Who did what to what, when and from where. Append only; never a secret, never message text."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_action_id", "action", "id"),
        Index("ix_audit_events_actor_id_id", "actor_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[str | None]
    actor_name: Mapped[str] = mapped_column(default="")
    """Kept as it was, so that the log reads well when the account is gone; `command line` for the operator."""
    action: Mapped[str]
    """A noun and a verb: `session.created`, `connection.key_replaced`."""
    subject: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(default="")


class Workspace(Base):
    """What is true for the whole installation; one row, `id` 1."""

    __tablename__ = "workspace"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(default="")
    system_prompt: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
