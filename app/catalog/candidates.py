"""Which models may answer to a name: a full name, an alias, or a model's own name where it is unique.

What a person may not use is not among them, as if it did not exist. What cannot be called just now is, with the
reason: a local model that is switched off still keeps what is meant for it from going elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.access import FoundModel, ModelNotUsable, full_name_of, never_heard_of, refusal
from app.catalog.keys import keys_of
from app.catalog.models import Alias, AliasTarget, Connection, Model
from app.catalog.opening import target_of
from app.catalog.restrictions import is_open_to

MOST_NAMED = 4
"""Of several models with one name so many are listed."""

# What every call needs is built once.
OPEN = select(Model, Connection).join(Connection).where(is_open_to(bindparam("user_id")))
BY_FULL_NAME = OPEN.where(Connection.name == bindparam("connection"), Model.name == bindparam("model"))
BY_OWN_NAME = OPEN.where(
    Connection.is_active, Model.is_enabled, Model.missing_since.is_(None), Model.name == bindparam("model")
).order_by(Connection.name)

Pair = tuple[Model, Connection]


@dataclass(frozen=True)
class Candidate:
    """A model that may answer. `model` is None while it cannot be called; `why_not` says why."""

    full_name: str
    is_local: bool = False
    weight: int = 1
    model: FoundModel | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Candidates:
    """All that may answer to a name, in the order of the alias; of other names there is one."""

    name: str
    models: tuple[Candidate, ...]
    is_weighted: bool = False
    allows_cloud: bool = False


async def candidates_for(session: AsyncSession, name: str, user_id: str) -> Candidates:
    """What may answer this person to `name`. Raises ModelNotUsable where nothing may."""
    connection, _, model = name.partition("/")
    if pair := await _one(session, BY_FULL_NAME, user_id, connection=connection, model=model):
        return Candidates(name, (await _candidate(session, pair),))
    if alias := await session.scalar(select(Alias).where(Alias.name == name)):
        return await _behind(session, alias, user_id)
    found = await _all(session, BY_OWN_NAME, user_id, model=name)
    if not found:
        raise ModelNotUsable(never_heard_of(name))
    if len(found) > 1:
        raise ModelNotUsable(_ambiguous(name, found))
    return Candidates(name, (await _candidate(session, found[0]),))


async def full_names_behind(session: AsyncSession, name: str, user_id: str) -> tuple[str, ...]:
    """The models that may answer this person to `name`, if there are any."""
    try:
        found = await candidates_for(session, name, user_id)
    except ModelNotUsable:
        return ()
    return tuple(model.full_name for model in found.models)


async def _behind(session: AsyncSession, alias: Alias, user_id: str) -> Candidates:
    targets = await session.scalars(
        select(AliasTarget).where(AliasTarget.alias_id == alias.id).order_by(AliasTarget.position)
    )
    models = [await _of_target(session, target, user_id) for target in targets]
    known = tuple(model for model in models if model is not None)
    if not known:
        raise ModelNotUsable(never_heard_of(alias.name))
    return Candidates(alias.name, known, alias.is_weighted, alias.allows_cloud)


async def _of_target(session: AsyncSession, target: AliasTarget, user_id: str) -> Candidate | None:
    connection, _, model = target.model.partition("/")
    if pair := await _one(session, BY_FULL_NAME, user_id, connection=connection, model=model):
        return await _candidate(session, pair, target.weight)
    return await _of_lost_target(session, target)


async def _of_lost_target(session: AsyncSession, target: AliasTarget) -> Candidate | None:
    """A local model that is listed no more still keeps what is meant for it in the house."""
    connection, _, model = target.model.partition("/")
    is_listed = exists().where(Model.connection_id == Connection.id, Model.name == model)
    query = select(Connection.id).where(Connection.name == connection, Connection.is_local, ~is_listed)
    if await session.scalar(query) is None:
        return None
    return Candidate(target.model, True, target.weight, why_not=never_heard_of(target.model))


async def _candidate(session: AsyncSession, pair: Pair, weight: int = 1) -> Candidate:
    model, connection = pair
    full_name = full_name_of(model, connection)
    if why_not := refusal(model, connection):
        return Candidate(full_name, connection.is_local, weight, why_not=why_not)
    target = target_of(connection, await keys_of(session, connection.id))
    found = FoundModel(
        connection.name, model.name, model.context_window, model.max_output_tokens, target, model.vision
    )
    return Candidate(full_name, connection.is_local, weight, found)


async def _one(
    session: AsyncSession, query: Select[Model, Connection], user_id: str, **named: str
) -> Pair | None:
    return next(iter(await _all(session, query, user_id, **named)), None)


async def _all(
    session: AsyncSession, query: Select[Model, Connection], user_id: str, **named: str
) -> Sequence[Pair]:
    found = await session.execute(query, {"user_id": user_id, **named})
    return [(model, connection) for model, connection in found]


def _ambiguous(name: str, found: Iterable[Pair]) -> str:
    names = [full_name_of(model, connection) for model, connection in found]
    listed = ", ".join(names[:MOST_NAMED]) + (" and others" if len(names) > MOST_NAMED else "")
    return f"Several models are called “{name[:100]}”: {listed}. Ask for one of them by its full name."
