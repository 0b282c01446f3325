"""What stories stand on: an installation of one's own, the cast, and, for system stories, real servers.

Tests that need PostgreSQL, Chromium, Node or curl skip with a sentence where it is missing; with CI=true they fail.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, async_playwright, expect
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from app import schema
from app.core.crypto import ENCRYPTION_KEY_FILE, SECRET_KEY_FILE, load_secrets
from app.core.database import Database
from app.core.settings import Settings
from app.main import create_app
from tests import chromium
from tests.cast import Cast, Visitor, sign_in_the_cast
from tests.postgres import missing, postgres_server, postgres_url  # noqa: F401  (fixtures)
from tests.servers import LiveServer, serving
from tests.waiting import MILLISECONDS_TO_WAIT

expect.set_options(timeout=MILLISECONDS_TO_WAIT)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session")
def empty_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with tables and secrets and nobody in it; copied for each test, which takes milliseconds."""
    folder = tmp_path_factory.mktemp("installation")
    engine = create_engine(f"sqlite:///{folder / 'parley.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        schema.metadata.create_all(connection)
    engine.dispose()
    load_secrets(Settings(data_dir=folder, _env_file=None))
    return folder


@pytest.fixture
def data_dir(empty_installation: Path, tmp_path: Path) -> Path:
    """A fresh DATA_DIR."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("parley.db", SECRET_KEY_FILE, ENCRYPTION_KEY_FILE):
        shutil.copy(empty_installation / name, folder / name)
    return folder


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    """A test module that wants other settings overrides this fixture."""
    return Settings(data_dir=data_dir, log_level="ERROR", _env_file=None)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application, started; on SQLite unless `settings` say otherwise."""
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
def database(app: FastAPI) -> Database:
    database: Database = app.state.database
    return database


@pytest.fixture
async def cast(app: FastAPI) -> Cast:
    """Alice, Bob and Charlie; an installation without `cast` has no account yet."""
    return await sign_in_the_cast(app)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[Visitor]:
    """A browser where nobody is signed in; `client.as_(cast.bob)` is Bob's."""
    async with Visitor(app) as visitor:
        yield visitor


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """The application behind a real socket: what streams cannot be seen without one."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn tells in no other way)
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = server.force_exit = True
    await serving


@pytest.fixture
def postgres_with_tables(postgres_url: str) -> str:  # noqa: F811  (a fixture's way to be asked for)
    """The address of a PostgreSQL database of the test's own that has the tables and no rows."""
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    schema.metadata.create_all(engine)
    engine.dispose()
    return postgres_url


StartServer = Callable[..., LiveServer]


@pytest.fixture
def start_server(data_dir: Path) -> Iterator[StartServer]:
    """Starts real servers: `start_server(workers=2, DATABASE_URL=url)`; all end with the test."""
    with ExitStack() as running:

        def start(*, port: int | None = None, workers: int = 1, **environment: str) -> LiveServer:
            return running.enter_context(serving(data_dir, port=port, workers=workers, **environment))

        yield start


@pytest.fixture
def live_server(start_server: StartServer) -> LiveServer:
    """One real server on an installation with nobody in it."""
    return start_server()


@pytest.fixture(scope="session")
def chromium_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = chromium.executable()
    if program is None:
        missing("Chromium is not installed (Debian: chromium).")
    with chromium.running(program, tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture
async def browser(chromium_address: str) -> AsyncIterator[Browser]:
    """Chromium; stories open contexts of their own in it, one for each person or device. They close with the story."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(chromium_address)
        yield browser
        await browser.close()
