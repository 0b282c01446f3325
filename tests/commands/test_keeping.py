"""The commands of whoever keeps Parley running: check, db, settings."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.core.settings_reference import env_example
from app.core.version import VERSION
from tests.catalog.vendor import GOOD_KEY, Vendor, vendor  # noqa: F401  (a fixture)

run = CliRunner()


def parley(words: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, as an operator's shell runs it: what a command forks writes there, too."""
    command = [sys.executable, "-m", "app.cli", *words.split()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


def test_check_is_content_with_a_new_installation_and_says_what_is_missing() -> None:
    run.invoke(app, ["db", "upgrade"])

    done = run.invoke(app, ["check"])

    assert done.exit_code == 0, done.output
    assert "open /setup" in done.output
    assert "Everything Parley needs is in order." in done.output


def test_check_fails_when_a_secret_can_be_read_by_others(installation: Path) -> None:
    run.invoke(app, ["db", "upgrade"])
    run.invoke(app, ["check"])
    (installation / "secret.key").chmod(0o644)

    done = run.invoke(app, ["check"])

    assert done.exit_code == 1
    assert "chmod 600" in done.output


def test_check_fails_when_migrations_are_pending() -> None:
    done = run.invoke(app, ["check"])

    assert done.exit_code == 1
    assert "bin/parley db upgrade" in done.output


def test_check_says_why_a_database_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://parley:hidden-password@127.0.0.1:1/parley")

    done = run.invoke(app, ["check"])

    assert done.exit_code == 1
    assert "Connection refused" in done.output
    assert "hidden-password" not in done.output


@pytest.mark.parametrize("command", ["check", "users list", "db upgrade", "serve --port 0"])
def test_a_folder_that_cannot_be_used_is_named(
    installation: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (installation / "taken").write_text("a file where the folder should be")
    monkeypatch.setenv("DATA_DIR", str(installation / "taken"))

    done = parley(command)

    assert done.returncode == 1
    assert f"{installation / 'taken'} cannot be used: File exists." in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "users list", "db upgrade", "db backup"])
def test_a_file_that_is_no_database_gets_a_sentence(installation: Path, command: str) -> None:
    (installation / "parley.db").write_text("a shopping list, and not a database at all\n" * 100)

    done = run.invoke(app, command.split())

    assert done.exit_code == 1
    assert "The database cannot be opened: file is not a database. Look at" in done.output


def connect_nowhere(name: str) -> None:
    run.invoke(app, ["providers", "add", name, "--kind", "ollama", "--base-url", "http://127.0.0.1:1"])


def test_check_fails_when_no_provider_answers() -> None:
    connect_nowhere("Nowhere")
    run.invoke(app, ["providers", "add", "Practice", "--kind", "echo"])

    done = run.invoke(app, ["check"])

    assert done.exit_code == 1
    assert re.search(r"warning +Provider Nowhere: .+", done.output)
    assert "nobody can talk to a model" in done.output, "echo does not count"


async def test_check_only_warns_of_a_provider_while_another_one_answers(
    vendor: Vendor,  # noqa: F811
) -> None:
    def story() -> Result:
        connect_nowhere("Nowhere")
        options = ["--kind", "openai-compatible", "--base-url", vendor.url, "--key-stdin"]
        run.invoke(app, ["providers", "add", "Somewhere", *options], input=f"{GOOD_KEY}\n")
        return run.invoke(app, ["check"])

    # The vendor goes on answering: it lives in this test's event loop.
    done = await asyncio.to_thread(story)

    assert done.exit_code == 0, done.output
    assert re.search(r"warning +Provider Nowhere: .+", done.output)
    assert "Parley can work. 1 of" in done.output


def test_a_database_that_others_can_read_is_theirs_no_more_after_a_start(installation: Path) -> None:
    run.invoke(app, ["db", "upgrade"])
    run.invoke(app, ["db", "backup"])
    (copy,) = (installation / "backups").glob("parley-*.db")
    for path in (installation / "parley.db", copy):
        path.chmod(0o644)

    before = run.invoke(app, ["check"])
    started = run.invoke(app, ["db", "upgrade"])

    assert before.exit_code == 1
    assert f"chmod 600 {copy}" in before.output
    assert f"Others on this machine could read {copy}" in started.output
    assert {path.stat().st_mode & 0o777 for path in (installation / "parley.db", copy)} == {0o600}
    assert run.invoke(app, ["check"]).exit_code == 0


def test_who_wants_others_to_read_the_database_may(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEEP_FILE_MODES", "true")
    run.invoke(app, ["db", "upgrade"])
    (installation / "parley.db").chmod(0o640)

    run.invoke(app, ["db", "upgrade"])
    done = run.invoke(app, ["check"])

    assert (installation / "parley.db").stat().st_mode & 0o777 == 0o640
    assert done.exit_code == 0
    assert re.search(r"note +Files: .+ can be read by other users", done.output)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\n# the port\nPORT=eight\n", "PORT: this has to be a whole number. Correct line 3 of .env,"),
        ("PORT=99999\n", "PORT: this has to be at most 65535. Correct line 1 of .env,"),
        ("REGISTRATION=some", "REGISTRATION: this has to be invite, open or closed. Correct line 1 of .env,"),
        ("KEEP_FILE_MODES=perhaps", "KEEP_FILE_MODES: this has to be true or false. Correct line 1"),
        ("DATABASE_URL=mysql://u:pw@db/x", "DATABASE_URL: this has to begin with postgresql:// or"),
        ("PUBLIC_URL=chat.example.org", "PUBLIC_URL: this has to begin with https:// or http://."),
        ("HOST=0.0.0.0\n\n= nothing\n", "Line 3 of .env is not NAME=value."),
        ("just words\n", "Line 1 of .env is not NAME=value."),
    ],
)
def test_what_does_not_fit_in_the_file_of_settings_is_said_with_its_line(
    installation: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    monkeypatch.chdir(installation)
    (installation / ".env").write_text(text)

    done = run.invoke(app, ["check"])

    assert done.exit_code == 1
    assert sentence in done.output
    assert "pw" not in done.output


def test_a_file_of_settings_that_is_no_text_gets_a_sentence(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(installation)
    (installation / ".env").write_bytes(b"HOST=\xff\xfe")

    done = run.invoke(app, ["check"])

    assert (done.exit_code, done.output.startswith(".env is not in UTF-8.")) == (1, True)


def test_check_notices_a_setting_that_is_none(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.invoke(app, ["db", "upgrade"])
    monkeypatch.chdir(installation)
    (installation / ".env").write_text("REGISTRATOIN=open\n")

    done = run.invoke(app, ["check"])

    assert done.exit_code == 0
    assert "line 1 of .env sets REGISTRATOIN, which is no setting. Is REGISTRATION meant?" in done.output


def test_a_backup_is_made_and_named(installation: Path) -> None:
    nothing = run.invoke(app, ["db", "backup"])
    run.invoke(app, ["db", "upgrade"])
    done = run.invoke(app, ["db", "backup"])

    assert nothing.exit_code == 1
    assert "no database" in nothing.output
    assert done.exit_code == 0
    assert len(list((installation / "backups").glob("parley-*.db"))) == 1


def test_upgrading_twice_does_nothing_the_second_time() -> None:
    first, second = run.invoke(app, ["db", "upgrade"]), run.invoke(app, ["db", "upgrade"])

    assert "now up to date" in first.output
    assert second.output == "The database is up to date.\n"


def test_settings_are_printed_as_a_file_to_copy() -> None:
    assert run.invoke(app, ["settings"]).stdout == env_example()


def test_the_version_is_the_declared_one() -> None:
    declared = re.search(r'^version = "(.+)"', Path("pyproject.toml").read_text(), re.MULTILINE)

    assert declared
    assert declared[1] == VERSION
