"""LiteLLM's proxy, to be measured beside Parley: one worker, a key, no database, the same upstream."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from packaging.requirements import Requirement

from bench.askers import Server
from bench.installation import Running, end, free_port, wait_for
from bench.instant import INSTANT
from bench.kept import KEPT

ENVIRONMENT = KEPT / "litellm"
PYTHON = ENVIRONMENT / "bin" / "python"
KEY = "sk-bench"
SECONDS_TO_START = 180
VERSION = "from importlib.metadata import version; print(version('litellm'))"
REQUIREMENTS = "from importlib.metadata import requires; print(*requires('litellm'), sep='\\n')"


def install() -> str:
    """The newest release, in an environment of its own, which is kept; its version."""
    is_there = PYTHON.exists()
    if not is_there:
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    # Without a network, the one from last time will do.
    _pip_install("litellm", must=not is_there)
    _pip_install(*_needed_to_serve(), must=not is_there)
    return _said(VERSION).strip()


def _pip_install(*packages: str, must: bool) -> None:
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([*pip, *packages], check=must)


def _needed_to_serve() -> list[str]:
    """What its proxy needs, but for packages of its own, such as those for a database and for its licensed part.

    It serves without them. Not all appear everywhere with the release: asked for `litellm[proxy]`, pip would then take
    an older one.
    """
    needed = map(Requirement, _said(REQUIREMENTS).splitlines())
    return [
        str(each).partition(";")[0]
        for each in needed
        if each.marker
        and each.marker.evaluate({"extra": "proxy"})
        and not each.marker.evaluate({"extra": ""})
        and not each.name.startswith("litellm")
    ]


def _said(program: str) -> str:
    return subprocess.run([PYTHON, "-c", program], check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def serving(folder: Path, upstream: str) -> Iterator[tuple[Server, Running]]:
    """LiteLLM, serving; ended with the block. `folder` gets its settings and its log."""
    begun = time.monotonic()
    port, settings = free_port(), folder / "litellm.yaml"
    settings.write_bytes(_settings(upstream))
    words = [
        ENVIRONMENT / "bin" / "litellm",
        "--config",
        settings,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(
            [*words, "--num_workers", "1", "--telemetry", "False"],
            cwd=folder,
            env=_environment(),
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/health/liveliness", process, SECONDS_TO_START)
        yield Server(url, KEY), Running(url, process, time.monotonic() - begun)
    finally:
        end(process)


def _settings(upstream: str) -> bytes:
    """JSON, which is YAML too."""
    model = {"model": f"openai/{INSTANT}", "api_base": f"{upstream}/v1", "api_key": "none"}
    return orjson.dumps(
        {
            "model_list": [{"model_name": INSTANT, "litellm_params": model}],
            "general_settings": {"master_key": KEY},
        }
    )


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    # As quick as it can be: prices from its own package, and no line in the log for each request.
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
