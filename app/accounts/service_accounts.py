"""Accounts for programs that belong to no person: administrators make them, and they have keys and no password."""

import re
import unicodedata
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, groups, memberships, people
from app.accounts.audit import Act
from app.accounts.models import Membership, User
from app.core.clock import now
from app.core.errors import Invalid, NotFound

NO_PASSWORD = ""
"""Whoever logs in is a person: this is never compared with anything."""
NO_MAILBOX = "service.invalid"
"""A domain that cannot exist (RFC 2606): every account has an address of its own, and these reach nobody."""
LONGEST_HANDLE = 28


async def all_of_them(session: AsyncSession) -> Sequence[User]:
    """In alphabetical order of their names."""
    query = select(User).where(User.is_service).order_by(func.lower(User.name), User.id)
    return (await session.scalars(query)).all()


async def by_id(session: AsyncSession, account_id: str) -> User:
    """Raises NotFound, also for a person."""
    account = await session.get(User, account_id)
    if account is None or not account.is_service:
        raise NotFound
    return account


async def by_name(session: AsyncSession, name: str) -> User:
    """By its handle or the name that people see. Raises NotFound, naming it: for the command line."""
    found = await people.by_login(session, name)
    if found is None or not found.is_service:
        found = await _called(session, name)
    if found is None:
        raise NotFound(f"There is no service account called “{name[:80]}”. Administrators make them.")
    return found


async def create(session: AsyncSession, name: str, act: Act, *, group_id: str = "") -> User:
    """A service account; `group_id` is the group that pays for it. Raises Invalid or NotFound."""
    name = await _free_name(session, name)
    handle = await _free_handle(session, name)
    account = User(
        username=handle,
        email=f"{handle}@{NO_MAILBOX}",
        name=name,
        password_hash=NO_PASSWORD,
        is_service=True,
    )
    session.add(account)
    await session.flush()
    _record(session, act, "service_account.created", account)
    await choose_group(session, account, group_id, act)
    return account


async def rename(session: AsyncSession, account: User, name: str, act: Act) -> None:
    """Raises Invalid."""
    if name.strip() == account.name:
        return
    new_name = await _free_name(session, name)
    _record(session, act, "service_account.renamed", account, f"{account.name} → {new_name}")
    account.name = new_name


async def choose_group(session: AsyncSession, account: User, group_id: str, act: Act) -> None:
    """Let this group, and no other, pay for the account; none when `group_id` is empty. Raises NotFound."""
    group = await groups.by_id(session, group_id) if group_id else None
    places = (await memberships.places_of(session, [account.id])).get(account.id, [])
    for place in places:
        if group is None or place.group.id != group.id:
            await memberships.take_out(session, place.group, account.id, act)
    if group is not None:
        await memberships.put(session, group, account, act, is_main=True)


async def group_id_of(session: AsyncSession, account: User) -> str:
    """The group that pays for it; empty when there is none."""
    query = select(Membership.group_id).where(Membership.user_id == account.id, Membership.is_main)
    return await session.scalar(query) or ""


async def disable(session: AsyncSession, account: User, act: Act) -> None:
    """Shut the program out at once: its keys stop working, and what is under way with them ends."""
    if not account.is_disabled:
        account.disabled_at = now()
        _record(session, act, "service_account.disabled", account)


async def enable(session: AsyncSession, account: User, act: Act) -> None:
    if account.is_disabled:
        account.disabled_at = None
        _record(session, act, "service_account.enabled", account)


async def _called(session: AsyncSession, name: str) -> User | None:
    # Compared here, where every alphabet has capitals: SQLite lowers those of English only.
    wanted = name.strip().casefold()
    return next((one for one in await all_of_them(session) if one.name.casefold() == wanted), None)


async def _free_name(session: AsyncSession, name: str) -> str:
    name = people.checked_name(name)
    if await _called(session, name) is not None:
        raise Invalid("There is a service account of this name already. Choose another name.", field="name")
    return name


async def _free_handle(session: AsyncSession, name: str) -> str:
    """`Nightly evaluation` → `nightly-evaluation`, numbered where that is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    wanted = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_HANDLE].rstrip("-")
    wanted = wanted if len(wanted) > 1 else "service"
    taken = set(await session.scalars(select(User.username).where(User.username.startswith(wanted))))
    handle, number = wanted, 2
    while handle in taken:
        handle, number = f"{wanted}-{number}", number + 1
    return handle


def _record(session: AsyncSession, act: Act, action: str, account: User, detail: str = "") -> None:
    audit.record(session, act, action, subject=account.username, detail=detail)
