"""/settings/tools: how one's own tools use Parley, ready to be copied."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import CurrentHouse, CurrentUser
from app.accounts.models import User
from app.catalog.aliases_offered import listed_aliases
from app.catalog.listing import listed_models
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
    """`model` is the full name, or the alias, of the one that the samples ask."""
    windows = await _windows(session, user)
    chosen = model if model in windows else next(iter(windows), MODEL)
    address = _address(request, house.settings.public_url)
    filling = Filling(address, chosen, windows.get(chosen))
    return page(
        request,
        "v1/tools.html",
        address=address,
        models=[(name, name) for name in windows],
        chosen=filling.model,
        groups={
            title: [(sample, filled(sample, filling)) for sample in samples] for title, samples in ALL.items()
        },
    )


async def _windows(session: AsyncSession, user: User) -> dict[str, int | None]:
    """What the samples can ask, models before aliases, and what fits into its context window."""
    models = [model for model in await listed_models(session, user.id) if "embeddings" not in model.abilities]
    aliases = await listed_aliases(session, models)
    windows = {model.full_name: model.context_window for model in models}
    windows |= {alias.name: alias.context_window for alias in aliases}
    return {name: window for name, window in windows.items() if can_be_pasted(name)}


def _address(request: Request, public_url: str) -> str:
    address = public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return address if SAFE_ADDRESS.fullmatch(address) else ADDRESS
