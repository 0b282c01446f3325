"""Groups from the command line, without a running server."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

run = CliRunner()


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


def parley(*words: str, stdin: str = "") -> Result:
    return run.invoke(app, list(words), input=stdin)


def add_bob() -> None:
    added = parley(
        "users", "add", "bob", "--email", "bob@example.org", "--password-stdin", stdin="some grey pebbles\n"
    )
    assert added.exit_code == 0, added.output


def test_groups_are_added_filled_and_listed() -> None:
    add_bob()
    assert parley("groups", "list").output == ""
    for name in ("Design", "Research"):
        assert parley("groups", "add", name).output == f"Added {name}.\n"

    assert parley("groups", "put", "BOB", "design").output == "Put bob into Design.\n"
    assert parley("groups", "put", "bob@example.org", "Research", "--manager").exit_code == 0
    assert parley("groups", "list").output == "Design\t1\t1\t-\nResearch\t1\t0\tbob\n"

    parley("groups", "put", "bob", "Research", "--main")
    assert parley("groups", "list").output == "Design\t1\t0\t-\nResearch\t1\t1\tbob\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "DESIGN"), "There is a group of this name already."),
        (("add", ""), "Enter a name"),
        (("put", "mallory", "Design"), "There is no account called mallory."),
        (("put", "bob", "Sales"), "There is no group called “Sales”."),
    ],
)
def test_failures_say_what_to_do(words: tuple[str, ...], sentence: str) -> None:
    add_bob()
    parley("groups", "add", "Design")

    failed = parley("groups", *words)

    assert failed.exit_code == 1
    assert sentence in failed.output


def open_to() -> dict[str, str]:
    """Who may use each connection and model, by name, as the database has it."""
    database = sqlite3.connect(Path(os.environ["DATA_DIR"]) / "parley.db")
    with closing(database):
        return dict(
            database.execute(
                "SELECT c.name || '/*', g.name FROM connection_groups JOIN connections c ON c.id = connection_id"
                " JOIN groups g ON g.id = group_id WHERE c.is_restricted UNION ALL"
                " SELECT m.name, g.name FROM model_groups JOIN models m ON m.id = model_id"
                " JOIN groups g ON g.id = group_id WHERE m.is_restricted"
            )
        )


def test_models_and_connections_are_kept_to_groups_and_opened_again() -> None:
    parley("providers", "add", "Practice", "--kind", "echo")
    for name in ("Design", "Research"):
        parley("groups", "add", name)
    assert open_to() == {}

    kept = parley("models", "restrict", "practice/echo", "practice/*", "--group", "design")
    assert kept.output == "Kept practice/echo, practice/* to design.\n"
    assert open_to() == {"practice/*": "Design", "echo": "Design"}

    parley("models", "restrict", "practice/echo", "--group", "Research")
    assert parley("models", "open", "practice/*").exit_code == 0
    assert open_to() == {"echo": "Research"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("practice/echo", "--group", "Sales"), "There is no group called “Sales”."),
        (("practice/none", "--group", "Design"), "practice has no model called “none”."),
        (("nowhere/echo", "--group", "Design"), "There is no connection called “nowhere”."),
    ],
)
def test_nothing_is_kept_when_one_of_the_names_is_wrong(words: tuple[str, ...], sentence: str) -> None:
    parley("providers", "add", "Practice", "--kind", "echo")
    parley("groups", "add", "Design")

    failed = parley("models", "restrict", "practice/echo-fast", *words)

    assert failed.exit_code == 1
    assert sentence in failed.output
    assert open_to() == {}
