"""Groups: made, found, renamed and deleted by administrators. Who is in which is decided in `memberships`."""

import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, memberships, people
from app.accounts.audit import Act
from app.accounts.models import Group, Membership, User
from app.core.clock import now
from app.core.errors import Invalid, NotFound

LONGEST_NAME = 60
TAKEN = "There is a group of this name already. Choose another name."

# Asked before every call of a model: the statement is built once.
MAIN_GROUP_OF = (
    select(Group)
    .join(Membership, Membership.group_id == Group.id)
    .where(Membership.user_id == bindparam("user_id"), Membership.is_main)
)


async def group_of(session: AsyncSession, user: User | str) -> Group | None:
    """The group that pays for what this person (or the person with this id) uses, or None."""
    user_id = user.id if isinstance(user, User) else user
    return await session.scalar(MAIN_GROUP_OF, {"user_id": user_id})


async def all_groups(session: AsyncSession) -> Sequence[Group]:
    """Every group there is, in alphabetical order; deleted ones are left out."""
    query = select(Group).where(Group.deleted_at.is_(None)).order_by(Group.handle, Group.id)
    return (await session.scalars(query)).all()


async def managed_by(session: AsyncSession, user: User) -> Sequence[Group]:
    """The groups that this person manages, in alphabetical order."""
    query = (
        select(Group)
        .join(Membership, Membership.group_id == Group.id)
        .where(Membership.user_id == user.id, Membership.is_manager)
        .order_by(Group.handle, Group.id)
    )
    return (await session.scalars(query)).all()


async def by_id(session: AsyncSession, group_id: str) -> Group:
    """The group to be shown or changed. Raises NotFound."""
    group = await session.get(Group, group_id)
    if group is None or group.deleted_at is not None:
        raise NotFound
    return group


async def by_name(session: AsyncSession, name: str) -> Group:
    """The group called `name`, however it is capitalised. Raises NotFound, naming it: for the command line."""
    found = None
    if people.is_plain(name):
        found = await session.scalar(select(Group).where(Group.handle == _handle_of(name)))
    if found is None:
        raise NotFound(f"There is no group called “{name}”. `parley groups list` shows all.")
    return found


async def create(session: AsyncSession, name: str, act: Act) -> Group:
    """A group with nobody in it. Raises Invalid."""
    name = _checked_name(name)
    group = Group(name=name, handle=_handle_of(name))
    await _refuse_taken(session, _handle_of(name))
    async with _unless_taken(session, group):
        session.add(group)
    _record(session, act, "group.created", group)
    return group


async def rename(session: AsyncSession, group: Group, name: str, act: Act) -> None:
    """Call it something else; what it may use and has used stays its own. Raises Invalid, NotFound."""
    name = _checked_name(name)
    await memberships.lock_group(session, group)
    if name == group.name:
        return
    handle = _handle_of(name)
    await _refuse_taken(session, handle, by_other_than=group)
    async with _unless_taken(session, group):
        _record(session, act, "group.renamed", group, name)
        group.name, group.handle = name, handle


async def delete(session: AsyncSession, group: Group, act: Act) -> None:
    """Delete a group. Its members keep their accounts; what it used keeps its name. Raises NotFound.

    What was open to this group alone is then open to administrators only, never to everyone.
    """
    await memberships.lock_group(session, group)
    await memberships.send_all_away(session, group, act)
    _record(session, act, "group.deleted", group)
    group.deleted_at = now()
    group.handle = None


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not people.is_plain(name):
        raise Invalid(f"Enter a name of at most {LONGEST_NAME} characters.", field="name")
    return name


def _handle_of(name: str) -> str:
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()


async def _refuse_taken(session: AsyncSession, handle: str, *, by_other_than: Group | None = None) -> None:
    holder = await session.scalar(select(Group).where(Group.handle == handle))
    if holder is not None and holder is not by_other_than:
        raise Invalid(TAKEN, field="name")


@asynccontextmanager
async def _unless_taken(session: AsyncSession, group: Group) -> AsyncIterator[None]:
    # Somebody may have taken the name since it was looked up: the unique constraint decides. Only what the block did
    # is undone then, so that a page can still be read and shown.
    try:
        async with session.begin_nested():
            yield
    except IntegrityError as error:
        if group in session:
            await session.refresh(group)
        raise Invalid(TAKEN, field="name") from error


def _record(session: AsyncSession, act: Act, action: str, group: Group, detail: str = "") -> None:
    audit.record(session, act, action, subject=group.name, detail=detail)
