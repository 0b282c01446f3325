"""Whom or what a budget is for: found by the name that people type, and named in sentences."""

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import groups, people
from app.accounts.models import ApiKey, Group, User
from app.catalog.models import Connection, Model
from app.core.errors import Invalid
from app.usage.models import EACH, Budget, BudgetScope

SCOPES = "workspace, group:NAME, user:NAME, key:PREFIX or model:NAME; * in place of a name means each one"
MOST_SUGGESTED = 200
GONE = "somebody or something that is gone"
EACH_ONE = {
    BudgetScope.GROUP: "each group",
    BudgetScope.USER: "each person",
    BudgetScope.KEY: "each key",
    BudgetScope.MODEL: "each model",
}

Subject = tuple[BudgetScope, str]


async def find(session: AsyncSession, text: str) -> Subject:
    """`group:Design` → the scope and the group's id. Raises Invalid or NotFound."""
    kind, _, name = text.strip().partition(":")
    try:
        scope = BudgetScope(kind.strip().lower())
    except ValueError:
        raise Invalid(f"A budget is for {SCOPES}.", field="scope") from None
    name = name.strip()
    if scope is BudgetScope.WORKSPACE:
        return scope, ""
    if not name:
        raise Invalid(f"Say for which {scope} it is by its name, or {EACH} for each one.", field="subject")
    return scope, EACH if name == EACH else await _id_of(session, scope, name)


async def names_of(session: AsyncSession, subjects: Collection[Subject]) -> Mapping[Subject, str]:
    """What each of them is called in a sentence: `the group Design`, `Bob Archer`, `the key parley_a1b2c3…`."""
    names: dict[Subject, str] = {(BudgetScope.WORKSPACE, ""): "the whole workspace"}
    names |= {(scope, EACH): name for scope, name in EACH_ONE.items()}
    wanted = {scope: [subject for found, subject in subjects if found == scope] for scope in BudgetScope}
    for group in await session.scalars(select(Group).where(Group.id.in_(wanted[BudgetScope.GROUP]))):
        names[BudgetScope.GROUP, group.id] = f"the group {group.name}"
    for user in await session.scalars(select(User).where(User.id.in_(wanted[BudgetScope.USER]))):
        names[BudgetScope.USER, user.id] = user.name
    for key in await session.scalars(select(ApiKey).where(ApiKey.id.in_(wanted[BudgetScope.KEY]))):
        names[BudgetScope.KEY, key.id] = f"the key {key.prefix}…"
    names |= {(BudgetScope.MODEL, name): f"the model {name}" for name in wanted[BudgetScope.MODEL]}
    return names | {subject: names.get(subject, GONE) for subject in subjects}


async def known_names(session: AsyncSession) -> list[str]:
    """What a budget can be for, as one would type it: groups, people and ticked models."""
    people_names = await session.scalars(
        select(User.username).where(User.disabled_at.is_(None)).order_by(User.username).limit(MOST_SUGGESTED)
    )
    ticked = await session.execute(
        select(Connection.name, Model.name)
        .join(Connection, Model.connection_id == Connection.id)
        .where(Model.is_enabled)
        .order_by(Connection.name, Model.name)
        .limit(MOST_SUGGESTED)
    )
    names = [group.name for group in await groups.all_groups(session)]
    return [*names, *people_names, *(f"{connection}/{model}" for connection, model in ticked)]


def subject_of(budget: Budget) -> Subject:
    return BudgetScope(budget.scope), budget.subject


async def _id_of(session: AsyncSession, scope: BudgetScope, name: str) -> str:
    match scope:
        case BudgetScope.GROUP:
            return (await groups.by_name(session, name)).id
        case BudgetScope.USER:
            return await _person(session, name)
        case BudgetScope.KEY:
            return await _key(session, name)
        case _:
            return await _model(session, name)


async def _person(session: AsyncSession, name: str) -> str:
    user = await people.by_login(session, name)
    if user is None:
        raise Invalid(
            f"There is no account called “{name[:100]}”. Administration → Users lists everybody.",
            field="subject",
        )
    return user.id


async def _key(session: AsyncSession, prefix: str) -> str:
    """A key by its id, or by the beginning that its owner sees."""
    prefix = prefix.rstrip("….")
    wanted: ColumnElement[bool] = (ApiKey.id == prefix) | (ApiKey.prefix == prefix)
    found = list(await session.scalars(select(ApiKey).where(wanted, ApiKey.revoked_at.is_(None)).limit(2)))
    if len(found) != 1:
        raise Invalid(
            f"{'Several keys begin' if found else 'No key begins'} with “{prefix[:40]}”. "
            "Its owner finds it under Settings → API keys.",
            field="subject",
        )
    return found[0].id


async def _model(session: AsyncSession, full_name: str) -> str:
    connection, _, name = full_name.partition("/")
    query = select(Model.id).join(Connection, Model.connection_id == Connection.id)
    if await session.scalar(query.where(Connection.name == connection, Model.name == name)) is None:
        raise Invalid(
            f"There is no model “{full_name[:100]}”. Administration → Models lists all of them.",
            field="subject",
        )
    return full_name
