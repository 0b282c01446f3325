"""Real server processes, for stories that a socket or a signal belongs to."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.core.settings import ROOT
from tests.ports import free_port

SECONDS_TO_START = 180


@dataclass(frozen=True)
class LiveServer:
    """A server process; its address, its folder and the way to end it."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]


@contextmanager
def serving(
    data_dir: Path, *, port: int | None = None, workers: int = 1, **environment: str
) -> Iterator[LiveServer]:
    """A server on this installation; it ends with the block."""
    server = _serve(data_dir, port or free_port(), workers, environment)
    try:
        _wait_until_it_answers(server)
        yield server
    finally:
        _end(server.process)


def _serve(data_dir: Path, port: int, workers: int, environment: dict[str, str]) -> LiveServer:
    command = [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory", "--no-access-log"]
    options = ["--port", str(port), "--workers", str(workers), "--timeout-graceful-shutdown", "5"]
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TZ")}
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=inherited | {"DATA_DIR": str(data_dir), "PORT": str(port), **environment},
    )
    return LiveServer(f"http://127.0.0.1:{port}", data_dir, process)


def _wait_until_it_answers(server: LiveServer) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError("The server ended before it answered.")
        try:
            httpx.get(f"{server.url}/health")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The server did not answer within {SECONDS_TO_START} seconds.")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
