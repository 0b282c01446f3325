"""Who may use a model: everyone, or chosen groups; the model and its connection must both allow it.

Administrators may use everything. What has lost its last group stays restricted: then nobody else may use it.
Whoever may not use a model does not see it, so the condition is part of every query for models.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, and_, delete, exists, insert, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.accounts import audit
from app.accounts.audit import Act
from app.accounts.models import Group, Membership, User, UserRole
from app.catalog.models import Connection, ConnectionGroup, Model, ModelGroup
from app.core.errors import Invalid, NotFound

Restrictable = Connection | Model


@dataclass(frozen=True)
class Audience:
    """Who may use something besides administrators: everyone, or the members of `groups`."""

    is_restricted: bool = False
    groups: tuple[Group, ...] = ()

    @property
    def text(self) -> str:
        """`Everyone`, the names of the groups, or `Administrators`."""
        if not self.is_restricted:
            return "Everyone"
        return ", ".join(group.name for group in self.groups) or "Administrators"

    def includes(self, group: Group) -> bool:
        return group.id in {allowed.id for allowed in self.groups}


EVERYONE = Audience()


def is_open_to(user_id: str | BindParameter[str]) -> ColumnElement[bool]:
    """That this person may use the `Model` of the `Connection` in a query; whether it answers is not asked."""
    own_groups = select(Membership.group_id).where(Membership.user_id == user_id)
    by_connection = exists().where(
        ConnectionGroup.connection_id == Connection.id, ConnectionGroup.group_id.in_(own_groups)
    )
    by_model = exists().where(ModelGroup.model_id == Model.id, ModelGroup.group_id.in_(own_groups))
    is_administrator = exists().where(User.id == user_id, User.role == UserRole.ADMINISTRATOR)
    return or_(
        and_(
            or_(not_(Connection.is_restricted), by_connection),
            or_(not_(Model.is_restricted), by_model),
        ),
        is_administrator,
    )


async def audience_of(session: AsyncSession, thing: Restrictable) -> Audience:
    return (await audiences(session, [thing]))[thing.id]


async def audiences(session: AsyncSession, things: Sequence[Restrictable]) -> dict[str, Audience]:
    """Who may use each of these, by its id."""
    restricted = [thing for thing in things if thing.is_restricted]
    groups = await _groups_of(session, ConnectionGroup.connection_id, restricted)
    groups |= await _groups_of(session, ModelGroup.model_id, restricted)
    chosen = {thing.id: Audience(True, tuple(groups.get(thing.id, ()))) for thing in restricted}
    return {thing.id: chosen.get(thing.id, EVERYONE) for thing in things}


async def only_for(session: AsyncSession, group: Group) -> list[str]:
    """What names this group: labels of connections, then full names of models, in alphabetical order."""
    labels = select(Connection.label).join(ConnectionGroup).where(ConnectionGroup.group_id == group.id)
    models = (
        select(Connection.name + "/" + Model.name)
        .join_from(Model, Connection)
        .join(ModelGroup, ModelGroup.model_id == Model.id)
        .where(ModelGroup.group_id == group.id, Model.is_restricted)
    )
    found = [await session.scalars(query) for query in (labels.where(Connection.is_restricted), models)]
    return [name for names in found for name in sorted(names)]


async def restrict(session: AsyncSession, thing: Restrictable, group_ids: Collection[str], act: Act) -> None:
    """Let only these groups use it. Raises Invalid when there are none, or when one of them is gone."""
    groups = await _chosen(session, group_ids)
    await _lock(session, thing)
    if await audience_of(session, thing) == Audience(True, tuple(groups)):
        return
    thing.is_restricted = True
    await _write(session, thing, groups)
    names = ", ".join(group.name for group in groups)
    await _record(session, act, "restricted", thing, names)


async def open_to_everyone(session: AsyncSession, thing: Restrictable, act: Act) -> None:
    """Let everyone use it."""
    await _lock(session, thing)
    if not thing.is_restricted:
        return
    thing.is_restricted = False
    await _write(session, thing, [])
    await _record(session, act, "opened", thing)


async def _groups_of(
    session: AsyncSession, key: InstrumentedAttribute[str], things: Sequence[Restrictable]
) -> dict[str, list[Group]]:
    query = (
        select(key, Group)
        .join(Group, Group.id == key.class_.group_id)
        .where(key.in_([thing.id for thing in things]), Group.deleted_at.is_(None))
        .order_by(Group.handle)
    )
    found: dict[str, list[Group]] = {}
    for thing_id, group in await session.execute(query):
        found.setdefault(thing_id, []).append(group)
    return found


async def _chosen(session: AsyncSession, group_ids: Collection[str]) -> list[Group]:
    query = select(Group).where(Group.id.in_(set(group_ids)), Group.deleted_at.is_(None))
    groups = list(await session.scalars(query.order_by(Group.handle)))
    if not groups:
        raise Invalid("Choose at least one group, or everyone.", field="groups")
    if len(groups) < len(set(group_ids)):
        raise Invalid("One of these groups is gone. Look at the list and choose again.", field="groups")
    return groups


async def _lock(session: AsyncSession, thing: Restrictable) -> None:
    """Two who change it at the same moment do so one after the other."""
    if await session.get(type(thing), thing.id, with_for_update=True, populate_existing=True) is None:
        raise NotFound


async def _write(session: AsyncSession, thing: Restrictable, groups: Sequence[Group]) -> None:
    table, key = (
        (ConnectionGroup, "connection_id") if isinstance(thing, Connection) else (ModelGroup, "model_id")
    )
    await session.execute(delete(table).where(getattr(table, key) == thing.id))
    if groups:
        rows = [{key: thing.id, "group_id": group.id} for group in groups]
        await session.execute(insert(table), rows)


async def _record(session: AsyncSession, act: Act, verb: str, thing: Restrictable, detail: str = "") -> None:
    if isinstance(thing, Connection):
        action, subject = f"connection.{verb}", thing.name
    else:
        connection = await session.get_one(Connection, thing.connection_id)
        action, subject = f"model.{verb}", f"{connection.name}/{thing.name}"
    audit.record(session, act, action, subject=subject, detail=detail)
