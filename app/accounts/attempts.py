"""Guessing is slowed down: after a few failures each further try has to wait, for longer and longer.

Counted per account and per address. A try is counted before the password is looked at, and forgiven
afterwards when it was right, so that a hundred tries at the same time are a hundred tries. Names that have
no account are counted alike: a delay tells nothing.
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


@dataclass(frozen=True)
class Subject:
    """What tries are counted for, and how many may fail without a delay. `key` is a keyed hash."""

    key: str
    free: int


def of_account(signing_key: str, login_or_id: str) -> Subject:
    """An account, by its id; or the name somebody typed that has none."""
    return Subject(keyed_hash(signing_key, f"account:{login_or_id}"), free=5)


def of_address(signing_key: str, address: str) -> Subject:
    """An address. A whole office may share one, so it gets more tries than an account."""
    return Subject(keyed_hash(signing_key, f"address:{_network(address)}"), free=30)


def of_registrations(signing_key: str, address: str) -> Subject:
    """An address from which accounts are made, or names are tried until one is free."""
    return Subject(keyed_hash(signing_key, f"registrations:{_network(address)}"), free=30)


async def count(session: AsyncSession, *subjects: Subject) -> None:
    """Count a try for each of the subjects. Raises TooMany, and counts nothing, while one has to wait."""
    at = now()
    # In one order, so that two tries never wait for each other's rows.
    counted = [(subject, await _row(session, subject)) for subject in sorted(subjects, key=lambda s: s.key)]
    for _, row in counted:
        row.failures = remembered(row.failures, at - row.last_failure_at)
    wait = max(waiting_time(row.failures, subject.free, row.last_failure_at, at) for subject, row in counted)
    if wait > timedelta(0):
        raise _too_many(wait)
    for _, row in counted:
        row.failures += 1
        row.last_failure_at = at
    await session.flush()


async def forgive(session: AsyncSession, account: Subject, address: Subject) -> None:
    """The try was right: the account starts afresh, the address gets this one try back.

    Not more than one: or whoever has an account could go on guessing other people's passwords.
    """
    await session.execute(delete(SignInAttempts).where(SignInAttempts.subject == account.key))
    await session.execute(
        update(SignInAttempts)
        .where(SignInAttempts.subject == address.key, SignInAttempts.failures > 0)
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
