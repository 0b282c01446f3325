"""What ids and model names are called on a page. What is gone is still counted, under a word that says so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ApiKey, Group, User
from app.catalog.access import ModelFace, faces_of

GONE = "Deleted account"
ORIGINS = {"chat": "Conversations", "api": "API"}


@dataclass(frozen=True)
class Names:
    """Names by id, in alphabetical order; models by `connection/model`."""

    people: Mapping[str, str]
    groups: Mapping[str, str]
    keys: Mapping[str, str]
    models: Mapping[str, ModelFace]

    def person(self, user_id: str) -> str:
        return self.people.get(user_id, GONE)

    def group(self, group_id: str) -> str:
        return self.groups.get(group_id, "Deleted group") if group_id else "No group"

    def key(self, key_id: str) -> str:
        return self.keys.get(key_id, "Deleted key") if key_id else "Browser"

    def model(self, full_name: str) -> ModelFace:
        return self.models.get(full_name) or ModelFace(full_name, "", "boxes", 0)

    def origin(self, kind: str) -> str:
        return ORIGINS.get(kind, kind.capitalize() or "Unknown")


async def names(
    session: AsyncSession,
    viewer: User,
    *,
    keys: Collection[str] = (),
    asked_for: str = "",
    models: Collection[str] = (),
) -> Names:
    """The names of everybody, of every group that there is or was, and of these keys and models.

    `asked_for` is a key that an address names: its own name is told to its owner and to administrators only.
    """
    people = select(User.id, User.name).order_by(User.name, User.id)
    groups = select(Group.id, Group.name).order_by(Group.name, Group.id)
    return Names(
        people={row.id: row.name for row in await session.execute(people)},
        groups={row.id: row.name for row in await session.execute(groups)},
        keys=await _key_names(session, viewer, keys, asked_for),
        models=await faces_of(session, set(models), viewer.id) if models else {},
    )


def initials(name: str) -> str:
    """`Alice Liddell` → `AL`."""
    return User(name=name, username=name).initials


async def _key_names(
    session: AsyncSession, viewer: User, key_ids: Collection[str], asked_for: str
) -> dict[str, str]:
    """`Nightly evaluation (pk-abc…)` by id."""
    if not any(key_ids) and not asked_for:
        return {}
    may_see = true() if viewer.is_administrator else ApiKey.user_id == viewer.id
    columns = select(ApiKey.id, ApiKey.name, ApiKey.prefix).order_by(ApiKey.name, ApiKey.id)
    rows = await session.execute(
        columns.where(or_(ApiKey.id.in_(key_ids), and_(ApiKey.id == asked_for, may_see)))
    )
    return {row.id: f"{row.name} ({row.prefix}…)" for row in rows}
