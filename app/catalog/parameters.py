"""What doors about connections and models take as parameters. For administrators the parameter is the
permission: `connection: CurrentConnection`."""

from typing import Annotated

from fastapi import Depends, Request

from app.accounts.access import CurrentAdministrator
from app.catalog import connections
from app.catalog.detection import Detection
from app.catalog.discovery import Discovery
from app.catalog.loading import Loading
from app.catalog.local_servers import LocalServers
from app.catalog.models import Connection, Model
from app.core.crypto import Vault
from app.core.database import Session, database_of
from app.core.errors import NotFound


async def _connection(connection_id: str, session: Session, _: CurrentAdministrator) -> Connection:
    return await connections.by_id(session, connection_id)


async def _model(model_id: str, session: Session, _: CurrentAdministrator) -> Model:
    model = await session.get(Model, model_id)
    if model is None:
        raise NotFound
    return model


def _discovery(request: Request) -> Discovery:
    state = request.app.state
    return Discovery(database_of(request), state.providers, state.tasks)


def _vault(request: Request) -> Vault:
    vault: Vault = request.app.state.vault
    return vault


def _detection(request: Request) -> Detection:
    detection: Detection = request.app.state.detection
    return detection


def _local_servers(request: Request) -> LocalServers:
    servers: LocalServers = request.app.state.local_servers
    return servers


def _loading(request: Request) -> Loading:
    state = request.app.state
    return Loading(database_of(request), state.providers, state.tasks, state.local_servers)


CurrentConnection = Annotated[Connection, Depends(_connection)]
CurrentModel = Annotated[Model, Depends(_model)]
CurrentDiscovery = Annotated[Discovery, Depends(_discovery)]
CurrentVault = Annotated[Vault, Depends(_vault)]
CurrentDetection = Annotated[Detection, Depends(_detection)]
CurrentLocalServers = Annotated[LocalServers, Depends(_local_servers)]
CurrentLoading = Annotated[Loading, Depends(_loading)]
