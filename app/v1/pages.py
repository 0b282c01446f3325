"""/settings/tools: how one's own tools use Parley, ready to be copied."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from app.accounts.access import CurrentHouse, CurrentUser
from app.catalog.listing import ListedModel, listed_models
from app.core.database import Session
from app.core.templating import page
from app.v1.samples import ADDRESS, ALL, MODEL, SAFE_ADDRESS, Filling, can_be_pasted, filled

router = APIRouter(prefix="/settings/tools", include_in_schema=False)
LONGEST_NAME = 300


@router.get("")
async def show_tools(
    request: Request,
    session: Session,
    user: CurrentUser,
    house: CurrentHouse,
    model: Annotated[str, Query(max_length=LONGEST_NAME)] = "",
) -> HTMLResponse:
    """`model` is the full name of the one that the samples ask."""
    models = [each for each in await listed_models(session, user.id) if _can_be_asked(each)]
    chosen = _chosen(models, model)
    address = _address(request, house.settings.public_url)
    filling = Filling(
        address, chosen.full_name if chosen else MODEL, chosen.context_window if chosen else None
    )
    return page(
        request,
        "v1/tools.html",
        address=address,
        models=[(each.full_name, each.full_name) for each in models],
        chosen=filling.model,
        groups={
            title: [(sample, filled(sample, filling)) for sample in samples] for title, samples in ALL.items()
        },
    )


def _can_be_asked(model: ListedModel) -> bool:
    return "embeddings" not in model.abilities and can_be_pasted(model.full_name)


def _chosen(models: list[ListedModel], name: str) -> ListedModel | None:
    first = models[0] if models else None
    return next((each for each in models if each.full_name == name), first)


def _address(request: Request, public_url: str) -> str:
    address = public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return address if SAFE_ADDRESS.fullmatch(address) else ADDRESS
