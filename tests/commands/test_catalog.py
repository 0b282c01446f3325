"""Providers, models and secrets from the command line, without a running server."""

import os
import sqlite3
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner, Result

from app.cli import app
from app.core.crypto import ENCRYPTION_KEY_FILE, Vault, open_vault
from app.core.settings import Settings

run = CliRunner()
KEY = "sk-operator-0123456789abcdef"


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "ENCRYPTION_KEYS", "ENCRYPTION_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PROVIDER_RETRIES", "0")
    return tmp_path


def parley(*words: str, stdin: str = "") -> Result:
    return run.invoke(app, list(words), input=stdin)


def add_with_key() -> Result:
    """A connection whose key is stored, and whose server is not there."""
    where = ["--kind", "openai", "--base-url", "http://127.0.0.1:9/v1"]
    return parley("providers", "add", "Away", *where, "--key-stdin", stdin=f"{KEY}\n")


def test_a_provider_is_added_listed_tested_and_removed() -> None:
    added = parley("providers", "add", "Practice", "--kind", "echo")
    assert added.exit_code == 0, added.output
    assert "Added practice with 3 models." in added.output

    assert "practice\techo\t-\t3/3\tOnline" in parley("providers", "list").output
    assert "Practice answered in" in parley("providers", "test", "practice").output
    assert parley("providers", "remove", "practice").exit_code == 0
    assert parley("providers", "list").output == ""


def test_a_script_that_runs_twice_does_not_connect_twice() -> None:
    parley("providers", "add", "Practice", "--kind", "echo")

    again = parley("providers", "add", "practice", "--kind", "echo")

    assert again.exit_code == 1
    assert "already" in again.output


def test_failures_say_what_to_do_and_never_the_key() -> None:
    away = add_with_key()
    assert away.exit_code == 1
    assert "Added away, but it cannot be used yet" in away.output
    assert "nothing answers" in away.output

    results = [
        away,
        parley("providers", "test", "away"),
        parley("models", "refresh"),
        parley("providers", "test", "nobody"),
        parley("providers", "add", "x", "--kind", "gopher"),
        parley("providers", "add", "x", "--kind", "openai"),
        parley("providers", "add", "x", "--kind", "openai", "--key-stdin"),
        parley("models", "enable", "away/nothing"),
    ]
    for result in results:
        assert result.exit_code == 1, result.output
        assert KEY not in result.output
        assert "Traceback" not in result.output
    assert KEY not in parley("providers", "list").output


def test_models_are_enabled_and_disabled() -> None:
    parley("providers", "add", "Practice", "--kind", "echo")

    assert parley("models", "disable", "practice/*").output == "Disabled 3 models.\n"
    assert parley("models", "list").output == ""
    assert parley("models", "enable", "practice/echo-fast").output == "Enabled 1 model.\n"

    assert parley("models", "list").output.split("\t")[0] == "practice/echo-fast"
    assert len(parley("models", "list", "--all").output.splitlines()) == 3
    assert "Practice: 3 models." in parley("models", "refresh", "practice").output


def test_rotation_encrypts_everything_with_a_new_key(installation: Path) -> None:
    add_with_key()
    file = installation / ENCRYPTION_KEY_FILE
    old = file.read_text().strip()
    running = open_vault(Settings())

    done = parley("secrets", "rotate")

    assert done.exit_code == 0, done.output
    assert "Encrypted 1 keys anew" in done.output
    (new,) = file.read_text().split()
    assert new != old
    assert stored_key(Vault((new,))) == KEY
    assert stored_key(running) == KEY, "a running server reads the new key file by itself"
    assert Vault((new,)).decrypt(running.encrypt("later")) == "later"
    assert oct(file.stat().st_mode)[-3:] == "600"


def test_rotation_covers_further_keys(installation: Path) -> None:
    add_with_key()
    another = open_vault(Settings()).encrypt("sk-another-9876543210")
    with sqlite3.connect(installation / "parley.db") as database:
        (connection,) = database.execute("SELECT id FROM connections").fetchone()
        database.execute("INSERT INTO connection_keys VALUES ('k1', ?, ?, '••••3210')", (connection, another))

    done = parley("secrets", "rotate")

    assert "Encrypted 2 keys anew" in done.output
    (new,) = (installation / ENCRYPTION_KEY_FILE).read_text().split()
    with sqlite3.connect(installation / "parley.db") as database:
        (stored,) = database.execute("SELECT encrypted_key FROM connection_keys").fetchone()
    assert Vault((new,)).decrypt(stored) == "sk-another-9876543210"


def test_an_interrupted_rotation_loses_nothing(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_with_key()
    with monkeypatch.context() as interrupted:
        interrupted.setattr("app.catalog.rotation._anew", _pull_the_plug)
        assert parley("secrets", "rotate").exit_code != 0

    keys = (installation / ENCRYPTION_KEY_FILE).read_text().split()
    assert len(keys) == 2
    assert stored_key(Vault(tuple(keys))) == KEY
    assert parley("secrets", "rotate").exit_code == 0
    assert stored_key(open_vault(Settings())) == KEY


def test_keys_from_the_environment_are_changed_by_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("ENCRYPTION_KEYS", old)
    add_with_key()
    alone = parley("secrets", "rotate")
    assert alone.exit_code == 1
    assert "Put a new key in front" in alone.output

    monkeypatch.setenv("ENCRYPTION_KEYS", f"{new},{old}")
    both = parley("secrets", "rotate")

    assert both.exit_code == 0, both.output
    assert stored_key(Vault((new,))) == KEY


def test_a_key_that_cannot_be_read_stops_the_rotation(installation: Path) -> None:
    add_with_key()
    file = installation / ENCRYPTION_KEY_FILE
    lost = file.read_text()
    file.write_text(Fernet.generate_key().decode() + "\n")

    done = parley("secrets", "rotate")

    assert done.exit_code == 1
    assert "Away can no longer be read" in done.output
    file.write_text(lost)
    assert stored_key(open_vault(Settings())) == KEY


def _pull_the_plug(*_: object) -> None:
    raise KeyboardInterrupt


def stored_key(vault: Vault) -> str:
    with sqlite3.connect(Path(os.environ["DATA_DIR"]) / "parley.db") as database:
        (token,) = database.execute("SELECT encrypted_key FROM connections").fetchone()
    return vault.decrypt(token)
