"""Servers that are started as people start them, `parley serve` in processes of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.core.settings import ROOT

ADDRESS = re.compile(r"Parley \S+ is at (http://\S+)")
PATIENCE = 180


@dataclass
class Started:
    """A running `parley serve`: where it is, and what it printed until then."""

    process: subprocess.Popen[str]
    url: str
    printed: str

    @property
    def workers(self) -> list[int]:
        """The ids of the processes that serve for it, when there are several."""
        return [child for child in _children(self.process.pid) if b"spawn_main" in _command_of(child)]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


Start = Callable[..., Started]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path / "data")


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    with starting(environment) as start:
        yield start


def environment_in(data_dir: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"DATA_DIR": str(data_dir), "NO_COLOR": "1"}


@contextmanager
def starting(environment: dict[str, str]) -> Iterator[Start]:
    """Gives a function that starts servers; all end with the block."""
    with ExitStack() as running:

        def start_one(*options: str, **more: str) -> Started:
            started = _start(environment | more, options)
            running.callback(_end, started.process)
            return started

        yield start_one


def parley(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def _start(environment: dict[str, str], options: tuple[str, ...]) -> Started:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", "0", *options],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    printed = ""
    while "Ctrl+C" not in printed:
        line = process.stderr.readline()
        assert line, f"Parley ended at once:\n{printed}"
        printed += line
    # Else a server that logs much would wait for ever until somebody reads it.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    found = ADDRESS.search(printed)
    assert found, printed
    _wait_for(found[1])
    return Started(process, found[1], printed)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/health")
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(url)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _children(process_id: int) -> list[int]:
    tasks = Path(f"/proc/{process_id}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _command_of(process_id: int) -> bytes:
    try:
        return Path(f"/proc/{process_id}/cmdline").read_bytes()
    except FileNotFoundError:
        # It ended while we looked.
        return b""
