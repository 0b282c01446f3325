"""GET /api/models: what the person asking may use."""

from fastapi import APIRouter

from app.accounts.access import CurrentUser
from app.catalog.access import usable_models
from app.catalog.schemas import ModelList, ModelOut
from app.core.database import Session

router = APIRouter(prefix="/api", tags=["Models"])


@router.get("/models", summary="List the models you may use")
async def list_models(session: Session, user: CurrentUser) -> ModelList:
    """Models that are ticked, and whose connection is on and not known to fail."""
    models = await usable_models(session, user)
    return ModelList(models=[ModelOut.of(model) for model in models if model.is_usable])
