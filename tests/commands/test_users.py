"""Accounts and keys from the command line, for automation and for the day when nobody can log in."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner, Result

from app.cli import app

PASSWORD = "a harbour of quiet lamps"


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


def parley(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=stdin)


def add(name: str, *more: str, password: str = PASSWORD) -> Result:
    where = ["--email", f"{name}@example.org", "--password-stdin"]
    return parley("users", "add", name, *where, *more, stdin=f"{password}\n")


def actions(folder: Path) -> list[tuple[str, str, str]]:
    """Who, what and about what, as the audit log has it."""
    with create_engine(f"sqlite:///{folder / 'parley.db'}").connect() as connection:
        rows = connection.execute(text("SELECT actor_name, action, subject FROM audit_events ORDER BY id"))
        return [tuple(row) for row in rows]


def test_the_first_administrator_can_be_made_before_the_first_start(installation: Path) -> None:
    added = add("alice", "--admin")

    assert (added.exit_code, added.stdout) == (0, "Added alice (administrator).\n")
    assert parley("users", "list").stdout == "alice\talice@example.org\tadministrator\tactive\n"
    assert actions(installation) == [("command line", "user.created", "alice")]


@pytest.mark.parametrize(
    ("words", "stdin", "sentence"),
    [
        (["bob", "--email", "bob@example.org", "--password-stdin"], "password123\n", "tried first"),
        (["bob", "--email", "bob@example.org", "--password-stdin"], "", "held no password"),
        (["bob", "--email", "bob", "--password-stdin"], f"{PASSWORD}\n", "Enter an e-mail address"),
        (["b b", "--email", "bob@example.org", "--password-stdin"], f"{PASSWORD}\n", "A username has"),
        (["alice", "--email", "other@example.org", "--password-stdin"], f"{PASSWORD}\n", "is taken"),
        (["bob", "--email", "bob@example.org"], f"{PASSWORD}\n", "--password-stdin"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(words: list[str], stdin: str, sentence: str) -> None:
    add("alice", "--admin")

    result = parley("users", "add", *words, stdin=stdin)

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert result.stdout == ""
    assert "bob" not in parley("users", "list").stdout


def test_disabling_and_enabling(installation: Path) -> None:
    add("alice", "--admin")
    add("bob")

    assert parley("users", "disable", "bob@example.org").stdout == "Disabled bob.\n"
    assert "bob\tbob@example.org\tmember\tdisabled" in parley("users", "list").stdout
    assert parley("users", "enable", "BOB").stdout == "Enabled bob.\n"
    assert actions(installation)[-2:] == [
        ("command line", "user.disabled", "bob"),
        ("command line", "user.enabled", "bob"),
    ]


def test_the_last_administrator_stays() -> None:
    add("alice", "--admin")

    result = parley("users", "disable", "alice")

    assert result.exit_code == 1
    assert "last active administrator" in result.stderr


def test_resetting_a_password_prints_a_new_one() -> None:
    add("alice", "--admin")

    made = parley("users", "reset-password", "alice")
    given = parley("users", "reset-password", "alice", "--password-stdin", stdin="seven slow bicycles\n")
    weak = parley("users", "reset-password", "alice", "--password-stdin", stdin="password123\n")

    assert len(made.stdout.strip()) == 19
    assert given.stdout == "alice has a new password.\n"
    assert weak.exit_code == 1


def test_a_key_is_printed_alone_listed_and_revoked(installation: Path) -> None:
    add("alice", "--admin")

    made = parley("keys", "add", "--user", "alice", "--name", "Backup", "--expires", "30")
    key_id, beginning, name, rules, used = (
        parley("keys", "list", "--user", "alice").stdout.strip().split("\t")
    )

    assert made.stdout.startswith(beginning.rstrip("…"))
    assert len(made.stdout.splitlines()) == 1
    assert (name, used) == ("Backup", "never used")
    assert rules.startswith("chat, embeddings, usage; until 20")
    assert made.stdout.strip() not in parley("keys", "list", "--user", "alice").stdout
    assert parley("keys", "revoke", key_id, "--user", "alice").exit_code == 0
    assert parley("keys", "list", "--user", "alice").stdout == ""
    assert parley("keys", "revoke", key_id, "--user", "alice").exit_code == 1
    assert [action for _, action, _ in actions(installation)[1:]] == ["key.created", "key.revoked"]


@pytest.mark.parametrize(
    "words",
    [
        ["users", "disable", "nobody"],
        ["users", "enable", "nobody"],
        ["users", "reset-password", "nobody"],
        ["keys", "add", "--user", "nobody"],
        ["keys", "list", "--user", "nobody"],
    ],
)
def test_nobody_called_so(words: list[str]) -> None:
    result = parley(*words)

    assert result.exit_code == 1
    assert "There is no account called nobody" in result.stderr
