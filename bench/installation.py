"""The Parley that is measured: a real one, in a folder of its own, started by bin/serve."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from app.core.settings import ROOT

PASSWORD = "a harbour of quiet lamps"
SECONDS_TO_START = 60
MODEL = "upstream/steady"


@dataclass(frozen=True)
class Running:
    """A server process; `seconds` is how long it took until /health answered."""

    url: str
    process: subprocess.Popen[bytes]
    seconds: float

    def resident_megabytes(self) -> float:
        return sum(_resident_kilobytes(process_id) for process_id in _family(self.process.pid)) / 1024

    def processor_seconds(self) -> float:
        """How long it has computed so far. Hardly depends on what else the machine does."""
        return sum(_ticks(process_id) for process_id in _family(self.process.pid)) / os.sysconf("SC_CLK_TCK")


class Installation:
    """A DATA_DIR. Prepared, it has an administrator `alice`, two keys of hers and a connection to the upstream."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self._log = folder / "parley.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._environment = kept | {"DATA_DIR": str(self.data_dir), "MAX_RUNNING_REPLIES": "0"}
        self.key = ""
        self.limited_key = ""

    def prepare(self, upstream: str, priced: Sequence[str] = (MODEL,)) -> None:
        self._parley("users", "add", "alice", "--email=alice@example.org", "--admin", "--password-stdin")
        self._parley(
            "providers",
            "add",
            "upstream",
            "--kind=openai-compatible",
            f"--base-url={upstream}/v1",
            "--enable-all-models",
        )
        self.key = self._parley("keys", "add", "--user=alice").split()[-1]
        for model in priced:
            self._parley("prices", "set", model, "--input=1", "--output=4")
        # Far away, as limits are nearly always.
        self.limited_key = self._parley("keys", "add", "--user=alice", "--limit=100000").split()[-1]

    def limit_everybody(self) -> None:
        """Hard limits, far away, beside that of the key."""
        for whose in ("workspace", "user:alice"):
            self._parley("budgets", "add", f"--scope={whose}", "--limit=1000000")

    def prepare_tables(self) -> None:
        """Only the tables, with nothing in them."""
        self._parley("usage", "verify")

    def make_up_a_year(self, people: int, calls: int) -> None:
        """Everybody's password is PASSWORD."""
        self._parley("demo", "seed", f"--people={people}", f"--requests={calls}", f"--password={PASSWORD}")

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Parley, serving; ended with the block."""
        port = free_port()
        begun = time.monotonic()
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [ROOT / "bin" / "serve", "--port", str(port)], env=self._environment, stdout=log, stderr=log
            )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/health", process)
            yield Running(url, process, time.monotonic() - begun)
        finally:
            end(process)

    def _parley(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            cwd=ROOT,
            env=self._environment,
            input=PASSWORD + "\n",
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout


@contextmanager
def upstream_running(module: str = "bench.upstream") -> Iterator[str]:
    """The upstream's address, while it runs."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", module, str(port)], cwd=ROOT, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/v1/models", process)
        yield url
    finally:
        end(process)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=5).close()  # noqa: S310  (our own address)
        except (URLError, OSError):
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"{url} does not answer.")


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _family(process_id: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{process_id}/task").glob("*/children")
        for child in task.read_text().split()
    ]
    return [process_id, *(member for child in children for member in _family(child))]


def _resident_kilobytes(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def _ticks(process_id: int) -> int:
    # After the name, which may hold anything: the 14th and 15th field are user and system time.
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
