"""Parley in front of Echo and of a model that does what it is told, in two languages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from app.core.crypto import ENCRYPTION_KEY_FILE, SECRET_KEY_FILE
from tests.v1 import obedient_server
from tests.v1.serving import Connected, Served, parley

OWN_LANGUAGE = "cloud/obedient"
"""A model whose provider speaks OpenAI's language."""
ANOTHER_LANGUAGE = "local/obedient"
"""The same, in Ollama's."""
ECHO = "echo/echo-fast"


@pytest.fixture(scope="session")
def served(empty_installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all stories of clients: none of them changes anything."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("parley.db", SECRET_KEY_FILE, ENCRYPTION_KEY_FILE):
        shutil.copy(empty_installation / name, folder / name)
    with (
        obedient_server.running() as upstream,
        parley(
            folder,
            Connected("echo", "echo", models=("echo-fast", "echo-slow")),
            Connected("cloud", "openai-compatible", f"{upstream}/v1"),
            Connected("local", "ollama", upstream),
        ) as server,
    ):
        yield server


@pytest.fixture
def client(served: Served) -> OpenAI:
    """It believes nothing that does not have OpenAI's shape to the letter."""
    return OpenAI(
        base_url=served.openai_url, api_key=served.key, max_retries=0, _strict_response_validation=True
    )


@pytest.fixture
def usual_client(served: Served) -> OpenAI:
    """For what the library itself is stricter about than OpenAI is."""
    return OpenAI(base_url=served.openai_url, api_key=served.key, max_retries=0)
