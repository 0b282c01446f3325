"""GET /api/models: what the person asking may use, and all that is known of it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import CurrentIdentity, Identity
from app.catalog.access import UsableModel, usable_models
from app.catalog.aliases_offered import usable_aliases
from app.catalog.local_servers import LocalServers
from app.catalog.parameters import CurrentLocalServers
from app.catalog.price_tags import PricesOf
from app.catalog.schemas import ModelList, ModelOut
from app.core.database import Session
from app.core.errors import NotFound

router = APIRouter(prefix="/api/models", tags=["Models"])


def _prices_of(request: Request) -> PricesOf:
    prices_of: PricesOf = request.app.state.prices_of
    return prices_of


Prices = Annotated[PricesOf, Depends(_prices_of)]


@router.get("", summary="List the models you may use")
async def list_models(
    session: Session, identity: CurrentIdentity, servers: CurrentLocalServers, prices_of: Prices
) -> ModelList:
    """Models that are ticked, whose connection is on, and that the key allows.

    One that cannot answer just now, such as when its provider rejects the key, says why in `why_not`.
    """
    models = await _models_for(session, identity)
    return ModelList(models=await _described(session, models, servers, prices_of))


@router.get("/{name:path}", summary="Read one of the models you may use")
async def read_model(
    name: str, session: Session, identity: CurrentIdentity, servers: CurrentLocalServers, prices_of: Prices
) -> ModelOut:
    """By its whole name, `connection/model`, or by an alias."""
    models = [model for model in await _models_for(session, identity) if model.full_name == name]
    if not models:
        raise NotFound(
            f"There is no model “{name[:100]}” that you may use. List the models to see which there are."
        )
    (described,) = await _described(session, models, servers, prices_of)
    return described


async def _models_for(session: AsyncSession, identity: Identity) -> list[UsableModel]:
    models = await usable_models(session, identity.user, embedding=True)
    return [
        model
        for model in [*await usable_aliases(session, models), *models]
        if any(map(identity.caller.may_use, (model.full_name, *model.stands_for)))
    ]


async def _described(
    session: AsyncSession, models: Sequence[UsableModel], servers: LocalServers, prices_of: PricesOf
) -> list[ModelOut]:
    servers.look_in_background()
    prices = await prices_of(session, models)
    return [
        ModelOut.of(model, price, servers.holds(model.connection_id, model.name))
        for model, price in zip(models, prices, strict=True)
    ]
