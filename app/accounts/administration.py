"""What administrators do to accounts. The last active administrator stays one: somebody must keep the keys."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, passwords, people, sessions
from app.accounts.audit import Act
from app.accounts.house import House
from app.accounts.models import User, UserRole
from app.core.clock import now
from app.core.database import after_commit
from app.core.errors import Conflict

GENERATED_PASSWORD_WORDS = 4
LAST_ADMINISTRATOR = (
    "This is the last active administrator. Make somebody else an administrator first, then try again."
)


@dataclass(frozen=True)
class Search:
    """Which accounts to list; empty fields let everybody through."""

    term: str = ""
    role: str = ""
    state: str = ""


async def list_people(
    session: AsyncSession, search: Search, *, limit: int = 50, offset: int = 0
) -> Sequence[User]:
    """People in alphabetical order of their names; programs have a page of their own."""
    query = (
        select(User)
        .where(~User.is_service)
        .order_by(func.lower(User.name), User.id)
        .limit(limit)
        .offset(offset)
    )
    if search.term:
        parts = (User.name, User.username, User.email)
        term = search.term.lower()
        query = query.where(or_(*(func.lower(part).contains(term, autoescape=True) for part in parts)))
    if search.role:
        query = query.where(User.role == search.role)
    if search.state:
        is_active = User.disabled_at.is_(None)
        query = query.where(is_active if search.state == "active" else ~is_active)
    return (await session.scalars(query)).all()


async def count_people(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(User).where(~User.is_service)) or 0


async def disable(session: AsyncSession, house: House, user_id: str, act: Act) -> User:
    """Shut an account out at once, open streams included. Raises NotFound or Conflict."""
    user = await people.by_id(session, user_id)
    if user.is_disabled:
        return user
    await _refuse_losing_the_last(session, user)
    user.disabled_at = now()
    await sign_out_everywhere(session, house, user)
    _record(session, act, "user.disabled", user)
    return user


async def enable(session: AsyncSession, user_id: str, act: Act) -> User:
    """Let a disabled account in again. Raises NotFound."""
    user = await people.by_id(session, user_id)
    if user.is_disabled:
        user.disabled_at = None
        _record(session, act, "user.enabled", user)
    return user


async def change_role(session: AsyncSession, user_id: str, role: UserRole, act: Act) -> User:
    """Make somebody an administrator or a member. Raises NotFound or Conflict."""
    user = await people.by_id(session, user_id)
    _refuse_programs(user)
    if user.role == role:
        return user
    if role is not UserRole.ADMINISTRATOR:
        await _refuse_losing_the_last(session, user)
    user.role = role
    _record(session, act, "user.promoted" if user.is_administrator else "user.demoted", user)
    return user


async def force_log_out(session: AsyncSession, house: House, user_id: str, act: Act) -> User:
    """End every session of an account. Raises NotFound."""
    user = await people.by_id(session, user_id)
    await sign_out_everywhere(session, house, user)
    _record(session, act, "user.signed_out", user)
    return user


async def reset_password(
    house: House, user_id: str, act: Act, password: str | None = None
) -> tuple[User, str]:
    """Give an account a new password, generated unless given, and end its sessions. Raises NotFound or Conflict.

    Returns the password too: it is to be shown once.
    """
    password = password or generated_password()
    password_hash = await passwords.hashed(password)
    async with house.database.writing() as session:
        user = await people.by_id(session, user_id)
        _refuse_programs(user)
        user.password_hash = password_hash
        await sign_out_everywhere(session, house, user)
        _record(session, act, "user.password_reset", user)
    return user, password


async def sign_out_everywhere(session: AsyncSession, house: House, user: User) -> None:
    """End all sessions of this person, and hang up streams that were opened with a key as well."""
    await sessions.end_all(session, house.hub, user.id)
    stream = sessions.stream_of_user(user.id)
    after_commit(session, lambda: house.hub.publish(stream, sessions.SIGNED_OUT))


def generated_password() -> str:
    """A password that can be read out on the telephone: `kx7mp-…`, some 80 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(letters) for _ in range(4)) for _ in range(GENERATED_PASSWORD_WORDS))
    return "-".join(groups)


def _refuse_programs(user: User) -> None:
    if user.is_service:
        raise Conflict("A service account is a member without a password. Make a key for it instead.")


async def _refuse_losing_the_last(session: AsyncSession, user: User) -> None:
    if not user.is_administrator or user.is_disabled:
        return
    # All of them are locked, always in one order: two who demote each other at the same time wait for each
    # other instead of both succeeding. (SQLite needs no lock: whoever writes is alone.)
    active = await session.scalars(
        select(User.id)
        .where(User.role == UserRole.ADMINISTRATOR, User.disabled_at.is_(None))
        .order_by(User.id)
        .with_for_update()
    )
    if not set(active) - {user.id}:
        raise Conflict(LAST_ADMINISTRATOR)


def _record(session: AsyncSession, act: Act, action: str, user: User) -> None:
    audit.record(session, act, action, subject=user.username)
