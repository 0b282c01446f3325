"""A PostgreSQL server for the tests that need one: started once, with a fresh database for each test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.ports import free_port

DEBIAN_FOLDERS = Path("/usr/lib/postgresql")
# Tests throw the data away: nothing is worth waiting for the disk.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


@dataclass(frozen=True)
class PostgresServer:
    programs: Path
    folder: Path
    port: int

    def start(self) -> None:
        self._run(
            "pg_ctl", "start", "-w", "-D", str(self.data), "-l", str(self.folder / "log"), "-o", self._options
        )

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(self.data))

    def create(self) -> None:
        self._run("initdb", "-D", str(self.data), "-U", "parley", "-A", "trust", "-E", "UTF8", "--no-sync")

    def new_database(self) -> str:
        name = f"parley_{uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, database: str) -> str:
        return f"postgresql://parley@127.0.0.1:{self.port}/{database}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def _options(self) -> str:
        return f"-h 127.0.0.1 -p {self.port} -k {self.folder} {FAST}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*_as_somebody_else(), self.programs / program, *arguments],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The running server; skips (fails with CI=true) where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        missing("PostgreSQL is not installed (Debian: apt-get install postgresql).")
    with _server(programs) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The address of a new, empty database, as DATABASE_URL takes it."""
    return postgres_server.new_database()


def missing(sentence: str) -> None:
    """Skip this test, or fail it where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


@contextmanager
def _server(programs: Path) -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = PostgresServer(programs, folder, free_port())
    try:
        server.create()
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    for folder in sorted(DEBIAN_FOLDERS.glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def _as_somebody_else() -> list[str]:
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
