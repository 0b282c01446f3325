"""Everything under `/admin`, behind one guard that no page can forget: it belongs to the router.

Members meet 404 on every address below, existing or not; people who are not signed in are sent to sign in.
"""

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse

from app.accounts.access import CurrentAdministrator
from app.admin import (
    aliases,
    audit,
    budgets,
    connection_keys,
    connections,
    groups,
    invitations,
    local_models,
    models,
    prices,
    restrictions,
    service_accounts,
    usage,
    users,
    workspace,
)
from app.core.errors import NotFound


async def guard(administrator: CurrentAdministrator) -> None:
    """Lets administrators through; `CurrentAdministrator` turns everybody else away."""


# The pages' own routers begin with /admin: the log names a request by the pattern that stands where its route does.
router = APIRouter(dependencies=[Depends(guard), prices.NoteMissing], include_in_schema=False)
router.include_router(users.router)
router.include_router(groups.router)
router.include_router(invitations.router)
router.include_router(service_accounts.router)
router.include_router(audit.router)
router.include_router(usage.router)
router.include_router(workspace.router)
router.include_router(connections.router)
router.include_router(connection_keys.router)
router.include_router(local_models.router)
router.include_router(models.router)
router.include_router(aliases.router)
router.include_router(prices.router)
router.include_router(budgets.router)
router.include_router(restrictions.router)


@router.get("/admin")
async def open_administration() -> RedirectResponse:
    return RedirectResponse("/admin/users", status_code=303)


# Last, so that it catches what no page answers: without it an unknown address would tell strangers that the
# known ones exist.
@router.api_route("/admin/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def nothing_here(rest: str) -> None:
    raise NotFound
