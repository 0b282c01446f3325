"""Aliases and further keys from the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "ENCRYPTION_KEYS", "ENCRYPTION_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert parley("providers", "add", "Practice", "--kind", "echo").exit_code == 0
    return tmp_path


def parley(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_an_alias_is_made_listed_changed_and_removed() -> None:
    models = ("practice/echo-fast", "practice/echo-slow")
    made = parley("aliases", "add", "fast", *models)
    assert made.output == "Made fast.\n"
    assert parley("aliases", "list").output == "fast\tpractice/echo-fast, practice/echo-slow\tordered\n"

    changed = parley("aliases", "add", "fast", "practice/echo-slow=3", "practice/echo-fast", "--weighted")
    assert changed.output == "Changed fast.\n"
    assert parley("aliases", "list").output == "fast\tpractice/echo-slow=3, practice/echo-fast=1\tweighted\n"

    assert parley("aliases", "remove", "fast").output == "Removed fast.\n"
    assert parley("aliases", "list").output == ""


def test_what_is_not_there_is_said_in_a_sentence() -> None:
    unknown = parley("aliases", "add", "fast", "practice/nothing")
    assert unknown.exit_code == 1
    assert "There is no model “practice/nothing”" in unknown.output
    gone = parley("aliases", "remove", "fast")
    assert gone.exit_code == 1
    assert "There is no alias called “fast”" in gone.output
