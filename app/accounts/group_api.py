"""/api/groups: who belongs together, for administrators' scripts. Members meet 404."""

from fastapi import APIRouter

from app.accounts import groups, memberships, people
from app.accounts.access import CurrentAct, CurrentAdministrator
from app.accounts.group_schemas import GroupBody, GroupDetails, GroupName, MemberToAdd, PlaceChange
from app.accounts.memberships import Size
from app.accounts.models import Group
from app.accounts.parameters import CurrentGroup
from app.core.database import Session
from app.core.errors import Invalid

router = APIRouter(prefix="/api/groups", tags=["Groups"])


@router.get("")
async def list_groups(session: Session, _: CurrentAdministrator) -> list[GroupBody]:
    """Every group, in alphabetical order."""
    sizes = await memberships.sizes(session)
    return [GroupBody.of(group, sizes.get(group.id, Size())) for group in await groups.all_groups(session)]


@router.post("", status_code=201)
async def create_group(session: Session, act: CurrentAct, wanted: GroupName) -> GroupDetails:
    """Make a group with nobody in it."""
    return await _shown(session, await groups.create(session, wanted.name, act))


@router.get("/{group_id}")
async def read_group(session: Session, group: CurrentGroup) -> GroupDetails:
    """A group and everybody in it."""
    return await _shown(session, group)


@router.patch("/{group_id}")
async def rename_group(
    session: Session, group: CurrentGroup, act: CurrentAct, wanted: GroupName
) -> GroupDetails:
    """Call it something else. What it may use and has used stays its own."""
    await groups.rename(session, group, wanted.name, act)
    return await _shown(session, group)


@router.delete("/{group_id}", status_code=204)
async def delete_group(session: Session, group: CurrentGroup, act: CurrentAct) -> None:
    """Delete it. Its members keep their accounts; what it used stays in the books under its name."""
    await groups.delete(session, group, act)


@router.post("/{group_id}/members", status_code=201)
async def add_member(
    session: Session, group: CurrentGroup, act: CurrentAct, wanted: MemberToAdd
) -> GroupDetails:
    """Put a person into it. Who is in it already stays, and becomes its manager or has it as main group if asked."""
    user = await people.by_login(session, wanted.login)
    if user is None:
        raise Invalid("Nobody has this username or e-mail address.", field="login")
    await memberships.put(session, group, user, act, is_manager=wanted.is_manager, is_main=wanted.is_main)
    return await _shown(session, group)


@router.patch("/{group_id}/members/{user_id}")
async def change_member(
    session: Session, group: CurrentGroup, act: CurrentAct, user_id: str, wanted: PlaceChange
) -> GroupDetails:
    """Make a member its manager or no more, or let it pay for a member."""
    if wanted.is_manager is not None:
        await memberships.change_manager(session, group, user_id, wanted.is_manager, act)
    if wanted.is_main:
        await memberships.choose_main(session, group, user_id, act)
    return await _shown(session, group)


@router.delete("/{group_id}/members/{user_id}", status_code=204)
async def remove_member(session: Session, group: CurrentGroup, act: CurrentAct, user_id: str) -> None:
    """See a person out. Where it was the main group, the oldest of their others pays from now on."""
    await memberships.take_out(session, group, user_id, act)


async def _shown(session: Session, group: Group) -> GroupDetails:
    await session.flush()
    return GroupDetails.with_people(group, await memberships.members_of(session, group))
