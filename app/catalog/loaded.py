"""Which models are in the memory of local servers just now: asked, never remembered."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.listing import ListedModel, listed_models
from app.catalog.models import Connection
from app.catalog.opening import OpenProviders, Target, target_of
from app.core.database import Database
from app.providers.errors import ProviderError
from app.providers.memory import KeepsModelsLoaded, LoadedModel

SECONDS_TO_WAIT = 3
"""For each server, all at the same time: one that is down holds nobody up."""


@dataclass(frozen=True)
class InMemory:
    """A model that the person may call, and what its server says of it."""

    model: ListedModel
    loaded: LoadedModel


async def models_in_memory(database: Database, providers: OpenProviders, user_id: str) -> list[InMemory]:
    """Of the models that this person may call those that are loaded, wherever a server tells."""
    async with database.reading() as session:
        models = await listed_models(session, user_id)
        targets = await _targets(session, {model.connection for model in models})
    answers = await asyncio.gather(*(_loaded_at(target, providers) for target in targets.values()))
    loaded = dict(zip(targets, answers, strict=True))
    return [
        InMemory(model, found)
        for model in models
        for found in loaded[model.connection]
        if found.name == model.name
    ]


async def _targets(session: AsyncSession, names: Iterable[str]) -> dict[str, Target]:
    """By the name of the connection."""
    found = await session.scalars(select(Connection).where(Connection.name.in_(names)))
    return {connection.name: target_of(connection) for connection in found}


async def _loaded_at(target: Target, providers: OpenProviders) -> list[LoadedModel]:
    """What a server that cannot be asked holds is nothing that anybody could use."""
    try:
        provider = providers.provider_for(target)
        if not isinstance(provider, KeepsModelsLoaded):
            return []
        async with asyncio.timeout(SECONDS_TO_WAIT):
            return await provider.loaded_models()
    except (ProviderError, TimeoutError):
        return []
