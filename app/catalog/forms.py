"""Connecting a provider by a form, as doors of the first run and of administrators do it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse

from app.accounts.access import CurrentAct
from app.catalog import connections
from app.catalog.connections import Notice, Wish
from app.catalog.detection import Detection
from app.catalog.parameters import CurrentDiscovery, CurrentVault
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page

Text = Annotated[str, Form()]


@dataclass(frozen=True)
class Connected:
    """What became of the form: the wish, and either what was changed of it or why it does not fit."""

    wish: Wish
    notices: list[Notice]
    error: Invalid | None = None


async def _connect(
    session: Session,
    vault: CurrentVault,
    discovery: CurrentDiscovery,
    act: CurrentAct,
    kind: Text,
    label: Text = "",
    base_url: Text = "",
    key: Text = "",
) -> Connected:
    wish = Wish(kind, label, base_url, key)
    try:
        connection, notices = await connections.add(session, vault, wish, act)
    except Invalid as error:
        if error.field == "kind":
            raise
        return Connected(wish, [], error)
    discovery.refresh_after_commit(session, connection.id)
    return Connected(wish, notices)


CurrentWish = Annotated[Connected, Depends(_connect)]
"""The connection that an administrator asks for with this request; it is made, unless something does not fit."""


def show_form(
    request: Request, template: str, detection: Detection, wish: Wish, error: Invalid | None = None
) -> HTMLResponse:
    """The form for one kind of provider, with what was typed and what does not fit."""
    kind = connections.kind_named(wish.kind)
    return page(
        request,
        template,
        status=error.status if error else 200,
        kind=kind,
        wish=wish,
        default_address=detection.default_address(kind),
        error=error,
    )
