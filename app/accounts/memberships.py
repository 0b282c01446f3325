"""Who is in which group, who manages it, and which group pays for whom.

The main group pays. The first group that a person is put into becomes it, and when somebody leaves it the
oldest of the others takes its place: as long as a person is in any group, exactly one of them pays.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.accounts.models import Group, Membership, User
from app.core.errors import NotFound


@dataclass(frozen=True)
class Place:
    """A person in a group."""

    user: User
    group: Group
    is_main: bool
    is_manager: bool


@dataclass(frozen=True)
class Size:
    """How many people are in a group, and for how many of them it pays."""

    members: int = 0
    paid_for: int = 0


async def members_of(session: AsyncSession, group: Group) -> list[Place]:
    """Everybody in the group, managers first, then in alphabetical order of their names."""
    query = _places().where(Membership.group_id == group.id)
    found = await session.execute(
        query.order_by(Membership.is_manager.desc(), func.lower(User.name), User.id)
    )
    return [_place(*row) for row in found]


async def places_of(session: AsyncSession, user_ids: Collection[str]) -> dict[str, list[Place]]:
    """The groups of each of these people, the main one first; who is in none is left out."""
    query = _places().where(Membership.user_id.in_(user_ids))
    places: dict[str, list[Place]] = {}
    for row in await session.execute(query.order_by(Membership.is_main.desc(), Group.handle)):
        place = _place(*row)
        places.setdefault(place.user.id, []).append(place)
    return places


async def managers(session: AsyncSession) -> dict[str, list[User]]:
    """The managers of each group, by the group's id."""
    query = _places().where(Membership.is_manager).order_by(func.lower(User.name), User.id)
    found: dict[str, list[User]] = {}
    for user, group, _ in await session.execute(query):
        found.setdefault(group.id, []).append(user)
    return found


async def sizes(session: AsyncSession) -> dict[str, Size]:
    """How large each group is, by its id; empty ones are left out."""
    query = select(Membership.group_id, func.count(), func.count().filter(Membership.is_main))
    found = await session.execute(query.group_by(Membership.group_id))
    return {group_id: Size(members, paid_for) for group_id, members, paid_for in found}


async def put(
    session: AsyncSession,
    group: Group,
    user: User,
    act: Act,
    *,
    is_manager: bool = False,
    is_main: bool = False,
) -> None:
    """See to it that the person is in the group; as its manager, and with it as main group, where asked for.

    Raises NotFound when the group was deleted meanwhile.
    """
    await lock_group(session, group)
    await _lock_people(session, [user.id])
    membership = await session.get(Membership, (user.id, group.id))
    if membership is None:
        is_main = is_main or not await _is_in_any(session, user)
        membership = Membership(user_id=user.id, group_id=group.id, is_main=False, is_manager=False)
        session.add(membership)
        await session.flush()
        _record(session, act, "group.member_added", group, user)
    if is_manager:
        _set_manager(session, group, user, membership, True, act)
    if is_main:
        await _make_main(session, group, user, membership, act)


async def take_out(session: AsyncSession, group: Group, user_id: str, act: Act) -> User:
    """See the person out; where the group was the main one, the oldest of the others is it now.

    Raises NotFound when the person is not in the group.
    """
    user, membership = await _locked(session, group, user_id)
    await session.delete(membership)
    await session.flush()
    _record(session, act, "group.member_removed", group, user)
    await _let_the_oldest_pay(session, [user.id], act)
    return user


async def choose_main(session: AsyncSession, group: Group, user_id: str, act: Act) -> User:
    """Let this group pay for the person from now on. Raises NotFound when the person is not in it."""
    user, membership = await _locked(session, group, user_id)
    await _make_main(session, group, user, membership, act)
    return user


async def change_manager(
    session: AsyncSession, group: Group, user_id: str, is_manager: bool, act: Act
) -> User:
    """Make a member a manager of the group, or no more. Raises NotFound when the person is not in it."""
    user, membership = await _locked(session, group, user_id)
    _set_manager(session, group, user, membership, is_manager, act)
    return user


async def send_all_away(session: AsyncSession, group: Group, act: Act) -> None:
    """Leave nobody in a group that is about to be deleted; the oldest of their other groups pays for each."""
    user_ids = list(await session.scalars(select(Membership.user_id).where(Membership.group_id == group.id)))
    await _lock_people(session, user_ids)
    await session.execute(delete(Membership).where(Membership.group_id == group.id))
    await _let_the_oldest_pay(session, user_ids, act)


async def lock_group(session: AsyncSession, group: Group) -> None:
    """Keep a group to oneself until the commit. Raises NotFound when it was deleted meanwhile.

    Groups are locked before people, and people in one order, so that no two wait for each other.
    """
    await session.refresh(group, with_for_update=True)
    if group.deleted_at is not None:
        raise NotFound


async def _lock_people(session: AsyncSession, user_ids: Collection[str]) -> None:
    """Whoever changes somebody's groups waits for others who do: one main group each, and not two."""
    await session.execute(select(User.id).where(User.id.in_(user_ids)).order_by(User.id).with_for_update())


async def _locked(session: AsyncSession, group: Group, user_id: str) -> tuple[User, Membership]:
    await _lock_people(session, [user_id])
    membership = await session.get(Membership, (user_id, group.id))
    if membership is None:
        raise NotFound
    return await session.get_one(User, user_id), membership


async def _is_in_any(session: AsyncSession, user: User) -> bool:
    found = await session.scalar(select(Membership.group_id).where(Membership.user_id == user.id).limit(1))
    return found is not None


async def _make_main(
    session: AsyncSession, group: Group, user: User, membership: Membership, act: Act
) -> None:
    if membership.is_main:
        return
    # In this order: the database holds no two main groups of one person, not even for a moment.
    await session.execute(
        update(Membership).where(Membership.user_id == user.id, Membership.is_main).values(is_main=False)
    )
    membership.is_main = True
    await session.flush()
    _record(session, act, "group.made_main", group, user)


async def _let_the_oldest_pay(session: AsyncSession, user_ids: Collection[str], act: Act) -> None:
    """Of each of these people who has groups and no main one, the oldest becomes it."""
    query = _places().where(Membership.user_id.in_(user_ids))
    found = await session.execute(query.order_by(Membership.joined_at, Membership.group_id))
    left = [(user, group, membership) for user, group, membership in found]
    paid_for = {user.id for user, _, membership in left if membership.is_main}
    for user, group, membership in left:
        if user.id not in paid_for:
            paid_for.add(user.id)
            await _make_main(session, group, user, membership, act)


def _set_manager(
    session: AsyncSession, group: Group, user: User, membership: Membership, is_manager: bool, act: Act
) -> None:
    if membership.is_manager != is_manager:
        membership.is_manager = is_manager
        action = "group.manager_added" if is_manager else "group.manager_removed"
        _record(session, act, action, group, user)


def _places() -> Select[User, Group, Membership]:
    return select(User, Group, Membership).join_from(Membership, User).join(Group)


def _place(user: User, group: Group, membership: Membership) -> Place:
    return Place(user, group, membership.is_main, membership.is_manager)


def _record(session: AsyncSession, act: Act, action: str, group: Group, user: User) -> None:
    audit.record(session, act, action, subject=group.name, detail=user.username)
