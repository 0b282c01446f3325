"""People, how they prove who they are, and the log of what was done."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.changes import WATCHED
from app.core.clock import now
from app.core.database import Base
from app.core.ids import new_id


class UserRole(StrEnum):
    ADMINISTRATOR = "administrator"
    MEMBER = "member"


class User(Base):
    """A person, or a service account: a program that belongs to nobody.

    `username` and `email` are stored in lower case; `name` is what others see.
    """

    __tablename__ = "users"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(default=UserRole.MEMBER)
    timezone: Mapped[str] = mapped_column(default="UTC")
    is_service: Mapped[bool] = mapped_column(default=False)
    """Whether it is a program: it has keys and no password, and its e-mail address reaches nobody."""
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
    """A key of a person or a service account. `prefix` tells keys apart; the key itself is kept as a keyed hash.

    What it may do is written as `key_rules` reads it.
    """

    __tablename__ = "api_keys"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str] = mapped_column(default="chat embeddings usage")
    models: Mapped[str] = mapped_column(Text, default="")
    """The models it is kept to, one in a line; empty: every model that its owner may use."""
    address_ranges: Mapped[str] = mapped_column(Text, default="")
    """From where it may be used, one range in a line; empty: from anywhere."""
    stores_calls: Mapped[bool] = mapped_column(default=False)
    """Whether calls that are made with it become conversations of its owner."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
    """To the minute."""
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Ticket(Base):
    """Opens one socket, once, for who asked for it: a key or a cookie stays out of addresses. Kept as a keyed hash."""

    __tablename__ = "tickets"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sign_in_sessions.id", ondelete="CASCADE"))
    api_key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class Group(Base):
    """People who share a purse, and what they may use. A deleted one stays as a name in what was used."""

    __tablename__ = "groups"
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    handle: Mapped[str | None] = mapped_column(unique=True)
    """The name without capitals, so that no two groups look alike; None once deleted: the name is free again."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]


class Membership(Base):
    """A person's place in a group. Of those who are in any group, exactly one place is the main one."""

    __tablename__ = "memberships"
    __table_args__ = (
        Index(
            "uq_memberships_user_id_is_main",
            "user_id",
            unique=True,
            sqlite_where=text("is_main"),
            postgresql_where=text("is_main"),
        ),
        {"info": WATCHED},
    )

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    is_main: Mapped[bool] = mapped_column(default=False)
    """Whether this group pays for what the person uses."""
    is_manager: Mapped[bool] = mapped_column(default=False)
    """Whether the person sees what the whole group uses."""
    joined_at: Mapped[datetime] = mapped_column(default=now)


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
    __table_args__ = {"info": WATCHED}  # noqa: RUF012  (SQLAlchemy's name and shape)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(default="")
    system_prompt: Mapped[str] = mapped_column(Text, default="")
    timezone: Mapped[str] = mapped_column(default="UTC")
    """In which days and months begin, for sums and budgets."""
    currency: Mapped[str] = mapped_column(default="USD")
    """In which money is shown; it is always counted in US dollars."""
    exchange_rate_micros: Mapped[int] = mapped_column(BigInteger, default=1_000_000)
    """Millionths of the currency for one US dollar."""
    exchange_rate_on: Mapped[date | None]
    """The day of that rate."""
    created_at: Mapped[datetime] = mapped_column(default=now)
