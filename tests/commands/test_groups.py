"""Groups from the command line, without a running server."""

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
