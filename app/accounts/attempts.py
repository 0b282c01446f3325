"""Guessing is slowed down: after a few failures each further try has to wait, for longer and longer.

Counted per account and address together, so that a stranger who guesses somebody's password keeps nobody but
himself waiting; per address; and, more generously, per account. Where somebody has logged in before, only the
browser's own tries count: not even guesses from a thousand addresses lock its owner out. A try is counted
before the password is looked at, and forgiven afterwards when it was right, so that a hundred tries at the
same time are a hundred tries. Names that have no account are counted alike: a delay tells nothing.
"""

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import SignInAttempts
from app.core.clock import now
from app.core.crypto import keyed_hash
from app.core.errors import TooMany

LONGEST_DELAY = timedelta(minutes=15)
ONE_IS_FORGOTTEN_IN = timedelta(minutes=10)
ALL_ARE_FORGOTTEN_IN = timedelta(days=1)
MOST_AT_ONE_ACCOUNT = 100
"""Failures in a row, wherever they come from (the bound of NIST SP 800-63B, 5.2.2)."""


@dataclass(frozen=True)
class Subject:
    """What tries are counted for, and how many may fail without a delay. `key` is a keyed hash."""

    key: str
    free: int


@dataclass(frozen=True)
class Guess:
    """What one try is counted for. When it was right `own` starts afresh, and `shared` get this one try back."""

    own: Subject
    shared: tuple[Subject, ...] = ()


def at_account(signing_key: str, login_or_id: str, address: str) -> Guess:
    """A try at an account, by its id; or at the name somebody typed that has none."""
    network = _network(address)
    return Guess(
        own=_subject(signing_key, f"account:{login_or_id}:{network}", free=5),
        shared=(
            _subject(signing_key, f"account:{login_or_id}", free=MOST_AT_ONE_ACCOUNT),
            # A whole office may share an address, so it gets more tries than one account does from there.
            _subject(signing_key, f"address:{network}", free=30),
        ),
    )


def in_known_browser(signing_key: str, mark: str) -> Guess:
    """A try at the account that was logged in to before in the browser with this mark."""
    return Guess(own=_subject(signing_key, f"browser:{mark}", free=5))


def within_account(signing_key: str, user_id: str) -> Guess:
    """A try to confirm the password by somebody who is logged in already."""
    return Guess(own=_subject(signing_key, f"confirmation:{user_id}", free=5))


def at_registration(signing_key: str, address: str) -> Guess:
    """An account made from this address, or a name tried until one is free."""
    return Guess(own=_subject(signing_key, f"registrations:{_network(address)}", free=30))


async def count(session: AsyncSession, guess: Guess) -> None:
    """Count a try. Raises TooMany, and counts nothing, while one of its subjects has to wait."""
    at = now()
    # In one order, so that two tries never wait for each other's rows.
    subjects = sorted((guess.own, *guess.shared), key=lambda subject: subject.key)
    counted = [(subject, await _row(session, subject)) for subject in subjects]
    for _, row in counted:
        row.failures = remembered(row.failures, at - row.last_failure_at)
    wait = max(waiting_time(row.failures, subject.free, row.last_failure_at, at) for subject, row in counted)
    if wait > timedelta(0):
        raise _too_many(wait)
    for _, row in counted:
        row.failures += 1
        row.last_failure_at = at
    await session.flush()


async def forgive(session: AsyncSession, guess: Guess) -> None:
    """The try was right. What is shared gets no more than this one try back: or whoever has an account could
    go on guessing other people's passwords."""
    await session.execute(delete(SignInAttempts).where(SignInAttempts.subject == guess.own.key))
    # One after another and in one order, as they are counted.
    for key in sorted(subject.key for subject in guess.shared):
        await session.execute(
            update(SignInAttempts)
            .where(SignInAttempts.subject == key, SignInAttempts.failures > 0)
            .values(failures=SignInAttempts.failures - 1)
        )


async def forget_old(session: AsyncSession) -> None:
    """Remove what no longer delays anybody."""
    await session.execute(
        delete(SignInAttempts).where(SignInAttempts.last_failure_at < now() - ALL_ARE_FORGOTTEN_IN)
    )


def remembered(failures: int, quiet: timedelta) -> int:
    """How many failures still count after a quiet time; an office's few mistakes a day never add up."""
    # Another worker's clock may be a little ahead: then no time has passed, rather than less than none.
    return max(0, failures - max(quiet, timedelta(0)) // ONE_IS_FORGOTTEN_IN)


def waiting_time(failures: int, free: int, last_failure_at: datetime, at: datetime) -> timedelta:
    """How long the next try has to wait: 1 s after the first failure too many, then twice as long each time."""
    beyond = failures - free
    if beyond < 0:
        return timedelta(0)
    delay = min(timedelta(seconds=2 ** min(beyond, 20)), LONGEST_DELAY)
    return max(timedelta(0), last_failure_at + delay - at)


def _subject(signing_key: str, name: str, free: int) -> Subject:
    return Subject(keyed_hash(signing_key, name), free)


async def _row(session: AsyncSession, subject: Subject) -> SignInAttempts:
    """The subject's row, locked until this transaction ends."""
    row = await session.get(SignInAttempts, subject.key, with_for_update=True)
    if row is not None:
        return row
    try:
        async with session.begin_nested():
            row = SignInAttempts(subject=subject.key, failures=0, last_failure_at=now())
            session.add(row)
    except IntegrityError:  # another try made it just now
        return await session.get_one(SignInAttempts, subject.key, with_for_update=True)
    return row


def _network(address: str) -> str:
    """An IPv6 address stands for its /64, of which one caller usually has all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else address


def _too_many(wait: timedelta) -> TooMany:
    seconds = math.ceil(wait.total_seconds())
    when = f"{seconds} seconds" if seconds < 90 else f"{math.ceil(seconds / 60)} minutes"
    return TooMany(f"Too many attempts. Try again in {when}.", retry_after=seconds)
