"""/admin/connections/…/keys: more keys that share the load of a connection."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import CurrentAct
from app.admin.connection_settings import HOME, show_settings, to
from app.catalog import keys
from app.catalog.parameters import CurrentConnection, CurrentVault
from app.core.database import Session
from app.core.errors import Invalid

router = APIRouter(prefix="/admin/connections")
LONGEST_LIST = 60_000


@router.post("/{connection_id}/keys")
async def add_keys(
    request: Request,
    connection: CurrentConnection,
    session: Session,
    vault: CurrentVault,
    act: CurrentAct,
    typed: Annotated[str, Form(alias="keys", max_length=LONGEST_LIST)] = "",
) -> Response:
    try:
        await keys.add_keys(session, vault, connection, typed, act)
    except Invalid as error:
        return await show_settings(request, session, connection, error=error)
    return to(f"{HOME}/{connection.id}")


@router.post("/{connection_id}/keys/{key_id}/deletion")
async def delete_key(
    key_id: str, connection: CurrentConnection, session: Session, act: CurrentAct
) -> Response:
    await keys.remove_key(session, connection, key_id, act)
    return to(f"{HOME}/{connection.id}")
