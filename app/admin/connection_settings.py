"""The page of one connection, and the way to it from the doors that change something of it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.catalog import keys, overview
from app.catalog.connections import Notice
from app.catalog.models import Connection
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page

HOME = "/admin/connections"


@dataclass(frozen=True)
class Typed:
    """What stands in the form of a connection. Keys are never written back."""

    label: str
    base_url: str
    is_local: bool


async def show_settings(
    request: Request,
    session: Session,
    connection: Connection,
    typed: Typed | None = None,
    *,
    notice: str = "",
    error: Invalid | None = None,
) -> HTMLResponse:
    """The page of one connection, with what was wrong in the form that was sent."""
    return page(
        request,
        "admin/connections_edit.html",
        card=await overview.card(session, connection),
        typed=typed or Typed(connection.label, connection.base_url, connection.is_local),
        more_keys=await keys.rows_of(session, connection.id),
        notice=notice,
        error=error,
    )


def to(address: str, notices: list[Notice] | None = None) -> RedirectResponse:
    """There, with a sentence about what was done besides."""
    query = f"?{urlencode({'notice': notices[-1].value})}" if notices else ""
    return RedirectResponse(address + query, status_code=303)
