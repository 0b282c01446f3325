"""/api/local-models: what Ollama and LM Studio hold in memory, for administrators' scripts. Members meet 404."""

from fastapi import APIRouter

from app.accounts.access import CurrentAct, CurrentAdministrator
from app.catalog import connections
from app.catalog.local_overview import Told, local_servers
from app.catalog.local_schemas import LoadWish, LocalServerList, LocalServerOut, ToldList, ToldOut, UnloadWish
from app.catalog.parameters import CurrentLoading, CurrentLocalServers
from app.catalog.selection import model_named
from app.core.clock import now
from app.core.database import Session
from app.core.errors import Invalid

router = APIRouter(prefix="/api/local-models", tags=["Local models"])


@router.get("")
async def list_local_models(
    session: Session, servers: CurrentLocalServers, _: CurrentAdministrator
) -> LocalServerList:
    """What each local server holds, as last heard. Asking lets the servers be asked in the background."""
    servers.look_in_background()
    return LocalServerList(
        servers=[LocalServerOut.of(server) for server in await local_servers(session, servers)]
    )


@router.post("/loads", status_code=202)
async def load_model(session: Session, loading: CurrentLoading, act: CurrentAct, wish: LoadWish) -> ToldOut:
    """Load a model, which may take minutes: list the local models to see how it goes."""
    connection, model = await model_named(session, wish.model)
    row = await loading.load(session, connection, model, act, exclusive=wish.exclusive)
    return ToldOut.of(Told.of(connection, model, row, now()))


@router.post("/unloads", status_code=202)
async def unload_models(
    session: Session, loading: CurrentLoading, act: CurrentAct, wish: UnloadWish
) -> ToldList:
    """Unload one model, or all of a server."""
    if bool(wish.model) == bool(wish.connection):
        raise Invalid("Name a model to unload, or a connection to unload everything that it holds.")
    connection_name, _, name = (wish.model or wish.connection).partition("/")
    connection = await connections.by_name(session, connection_name)
    models = await loading.unload(session, connection, name or None, act)
    return ToldList(told=[ToldOut.of(Told.of(connection, model, row, now())) for model, row in models])
