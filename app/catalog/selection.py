"""Ticking: which models of a connection people may use."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.catalog.models import Connection, Model
from app.core.errors import NotFound

MOST_NAMES_IN_DETAIL = 20


async def tick(
    session: AsyncSession, connection: Connection, names: Collection[str], is_enabled: bool, act: Act
) -> int:
    """Open the models called `names` to people, or close them; how many changed."""
    changed = [
        model
        for model in await _models_of(session, connection)
        if model.name in names and model.is_enabled != is_enabled
    ]
    await _set(session, connection, changed, is_enabled, act)
    return len(changed)


async def tick_all(session: AsyncSession, connection: Connection, is_enabled: bool, act: Act) -> int:
    """Open every model of the connection, or close every one; how many changed."""
    names = {model.name for model in await _models_of(session, connection)}
    return await tick(session, connection, names, is_enabled, act)


async def by_name(session: AsyncSession, connection: Connection, name: str) -> Model:
    """The connection's model called `name`, as the command line names it. Raises NotFound."""
    query = select(Model).where(Model.connection_id == connection.id, Model.name == name)
    model = await session.scalar(query)
    if model is None:
        raise NotFound(
            f"{connection.name} has no model called “{name}”. `parley models list --all` shows every model; "
            "`parley models refresh` looks for new ones."
        )
    return model


async def model_named(session: AsyncSession, full_name: str) -> tuple[Connection, Model]:
    """The model `connection/model`, ticked or not, and its connection. Raises NotFound."""
    connection_name, _, name = full_name.partition("/")
    found = await session.execute(
        select(Connection, Model)
        .join(Model, Model.connection_id == Connection.id)
        .where(Connection.name == connection_name, Model.name == name)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound(f"There is no model called “{full_name[:100]}”. Write it as `connection/model`.")
    connection, model = row
    return connection, model


async def _models_of(session: AsyncSession, connection: Connection) -> list[Model]:
    return list(await session.scalars(select(Model).where(Model.connection_id == connection.id)))


async def _set(
    session: AsyncSession, connection: Connection, models: list[Model], is_enabled: bool, act: Act
) -> None:
    if not models:
        return
    for model in models:
        model.is_enabled = is_enabled
        # Kept only for its tick: once nobody may use it, there is nothing left to explain. A restriction
        # stays, so that the model does not come back open to everyone.
        if not is_enabled and model.missing_since is not None and not model.is_restricted:
            await session.delete(model)
    action = "models.enabled" if is_enabled else "models.disabled"
    audit.record(session, act, action, subject=connection.name, detail=_listed(models))


def _listed(models: list[Model]) -> str:
    names = [model.name for model in models[:MOST_NAMES_IN_DETAIL]]
    more = len(models) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
