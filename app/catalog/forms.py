"""Connecting a provider by a form, as doors of the first run and of administrators do it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import CurrentAct
from app.accounts.audit import Act
from app.catalog import connections
from app.catalog.connections import Notice, WantedConnection
from app.catalog.detection import Detection
from app.catalog.discovery import Discovery
from app.catalog.parameters import CurrentDiscovery, CurrentVault
from app.core.crypto import Vault
from app.core.database import Session
from app.core.errors import Invalid
from app.core.templating import page

Text = Annotated[str, Form()]


@dataclass(frozen=True)
class Connecting:
    """An administrator's form for a new connection."""

    wanted: WantedConnection
    session: AsyncSession
    vault: Vault
    discovery: Discovery
    act: Act

    async def connect(self) -> list[Notice]:
        """Make the connection and ask it for its models; what was changed of what was wanted. Raises Invalid."""
        connection, notices = await connections.add(self.session, self.vault, self.wanted, self.act)
        self.discovery.refresh_after_commit(self.session, connection.id)
        return notices


def _connecting(
    session: Session,
    vault: CurrentVault,
    discovery: CurrentDiscovery,
    act: CurrentAct,
    kind: Text,
    label: Text = "",
    base_url: Text = "",
    key: Text = "",
) -> Connecting:
    return Connecting(WantedConnection(kind, label, base_url, key), session, vault, discovery, act)


CurrentConnecting = Annotated[Connecting, Depends(_connecting)]


def show_form(
    request: Request,
    template: str,
    detection: Detection,
    wanted: WantedConnection,
    error: Invalid | None = None,
) -> HTMLResponse:
    """The form for one kind of provider, with what was typed and what does not fit."""
    kind = connections.kind_named(wanted.kind)
    return page(
        request,
        template,
        kind=kind,
        wanted=wanted,
        default_address=detection.default_address(kind),
        error=error,
    )
