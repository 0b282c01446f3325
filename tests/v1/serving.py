"""Parley behind a real socket in a process of its own, for client libraries that wait for their answers."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.accounts import api_keys
from app.accounts.audit import Act
from app.accounts.models import User
from app.catalog.models import Connection, Model
from app.core.database import Database
from app.core.settings import Settings
from app.main import create_app
from tests.cast import sign_in_the_cast
from tests.servers import serving


@dataclass(frozen=True)
class Connected:
    """A connection with its models, all of them ticked."""

    name: str
    kind: str
    base_url: str = ""
    models: tuple[str, ...] = ("obedient",)


@dataclass(frozen=True)
class Served:
    """Where Parley is, and Bob's key."""

    url: str
    key: str

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"


@contextmanager
def parley(data_dir: Path, *connections: Connected) -> Iterator[Served]:
    """A server on `data_dir`, where the cast has accounts; ends with the block."""
    key = asyncio.run(_prepared(data_dir, connections))
    with serving(data_dir, LOG_LEVEL="ERROR", SHUTDOWN_GRACE="0") as server:
        yield Served(server.url, key)


async def _prepared(data_dir: Path, connections: tuple[Connected, ...]) -> str:
    """The accounts, the connections, and a key of Bob's, which is returned."""
    app = create_app(Settings(data_dir=data_dir, log_level="ERROR", _env_file=None))
    async with app.router.lifespan_context(app):
        cast = await sign_in_the_cast(app)
        database: Database = app.state.database
        async with database.writing() as session:
            for connected in connections:
                connection = Connection(
                    name=connected.name,
                    label=connected.name,
                    kind=connected.kind,
                    base_url=connected.base_url,
                )
                session.add(connection)
                await session.flush()
                session.add_all(
                    Model(connection_id=connection.id, name=name, display_name=name, is_enabled=True)
                    for name in connected.models
                )
            bob = await session.get_one(User, cast.bob.id)
            made = await api_keys.create(
                session, bob, app.state.secrets.signing_key, Act(bob, "127.0.0.1"), name="Tools"
            )
            return made.secret
