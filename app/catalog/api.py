"""GET /api/models: what the person asking may use."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from app.accounts.access import CurrentIdentity
from app.catalog.access import usable_models
from app.catalog.price_tags import PricesOf
from app.catalog.schemas import ModelList, ModelOut
from app.core.database import Session

router = APIRouter(prefix="/api", tags=["Models"])


def _prices_of(request: Request) -> PricesOf:
    prices_of: PricesOf = request.app.state.prices_of
    return prices_of


Prices = Annotated[PricesOf, Depends(_prices_of)]


@router.get("/models", summary="List the models you may use")
async def list_models(session: Session, identity: CurrentIdentity, prices_of: Prices) -> ModelList:
    """Models that are ticked, whose connection is on and not known to fail, and that the key allows."""
    models = [
        model
        for model in await usable_models(session, identity.user)
        if model.is_usable and identity.caller.may_use(model.full_name)
    ]
    prices = await prices_of(session, models)
    return ModelList(models=[ModelOut.of(model, price) for model, price in zip(models, prices, strict=True)])
