"""Accounts: made, found and changed. Usernames and e-mail addresses are kept in lower case."""

import re
import unicodedata
from dataclasses import dataclass
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User, UserRole
from app.core.errors import Invalid, NotFound

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+")
LONGEST_EMAIL = 254  # RFC 5321
LONGEST_NAME = 80
REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
TIMEZONES = ("UTC", *sorted(zone for zone in available_timezones() if zone.partition("/")[0] in REGIONS))
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes of Unicode's annex 9 that turn the direction of writing around, whatever is written."""
TAKEN = "This username or e-mail address is taken. Choose another, or log in if it is yours."


@dataclass(frozen=True)
class Details:
    """What an account says of its person; already checked and in the shape that is stored."""

    username: str
    email: str
    name: str


def checked_details(username: str, email: str, name: str) -> Details:
    """Details in the shape that is stored; an empty name is the username. Raises Invalid."""
    username = checked_username(username)
    return Details(username, checked_email(email), checked_name(name) if name.strip() else username)


async def anybody(session: AsyncSession) -> bool:
    """Whether there is any account yet."""
    return bool(await session.scalar(select(exists().select_from(User))))


async def create(
    session: AsyncSession, details: Details, password_hash: str, role: UserRole = UserRole.MEMBER
) -> User:
    """A new account. Raises Invalid when the username or the e-mail address is taken."""
    user = User(
        username=details.username,
        email=details.email,
        name=details.name,
        password_hash=password_hash,
        role=role,
    )
    await refuse_taken(session, details)
    session.add(user)
    await _flush_unless_taken(session)
    return user


async def refuse_taken(session: AsyncSession, details: Details) -> None:
    """Raises Invalid when somebody has this username or e-mail address."""
    if await _exists(session, or_(User.username == details.username, User.email == details.email)):
        raise Invalid(TAKEN, field="username")


async def by_login(session: AsyncSession, login: str) -> User | None:
    """The account with this username or e-mail address, however it is capitalised."""
    lowered = login.strip().lower()
    if not is_plain(lowered):
        return None
    return await session.scalar(select(User).where(or_(User.username == lowered, User.email == lowered)))


async def by_name(session: AsyncSession, login: str) -> User:
    """The account with this username or e-mail address. Raises NotFound, naming it: for the command line."""
    user = await by_login(session, login)
    if user is None:
        raise NotFound(f"There is no account called {login}. `parley users list` shows all.")
    return user


async def by_id(session: AsyncSession, user_id: str) -> User:
    """The account to be changed, as this session sees it. Raises NotFound."""
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


async def change_email(session: AsyncSession, user: User, email: str) -> None:
    """Raises Invalid when the address is none, or taken."""
    email = checked_email(email)
    if await _exists(session, User.email == email, User.id != user.id):
        raise Invalid("This e-mail address belongs to another account.", field="email")
    user.email = email
    await _flush_unless_taken(session)


def checked_username(username: str) -> str:
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        raise Invalid(
            "A username has 2 to 32 characters: letters from a to z, digits, dot, hyphen and underscore; "
            "it begins with a letter or a digit.",
            field="username",
        )
    return username


def checked_email(email: str) -> str:
    email = email.strip().lower()
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email) or not is_plain(email):
        raise Invalid("Enter an e-mail address, such as name@example.org.", field="email")
    return email


def checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not is_plain(name):
        raise Invalid(f"Enter a name of at most {LONGEST_NAME} characters.", field="name")
    return name


def checked_timezone(timezone: str) -> str:
    if timezone not in TIMEZONES:
        raise Invalid("Choose a time zone from the list, such as Europe/Rome.", field="timezone")
    return timezone


def is_plain(text: str) -> bool:
    """Whether every character can be seen and stored: no control characters, no halves of a pair.

    Nor any that turn the direction of writing around for what follows: names would read as others' do.
    """
    return not any(
        unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in TURNING
        for character in text
    )


async def _exists(session: AsyncSession, *conditions: ColumnElement[bool]) -> bool:
    return bool(await session.scalar(select(exists().where(*conditions))))


async def _flush_unless_taken(session: AsyncSession) -> None:
    # Somebody may have taken the name since it was looked up: the unique constraint decides.
    try:
        await session.flush()
    except IntegrityError as error:
        raise Invalid(TAKEN, field="username") from error
