"""The commands of whoever keeps Parley running: check, db, settings."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core.settings_reference import env_example
from app.core.version import VERSION

run = CliRunner()


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


def test_check_names_cause_and_remedy_of_a_provider_that_cannot_be_reached() -> None:
    run.invoke(app, ["providers", "add", "Nowhere", "--kind", "ollama", "--base-url", "http://127.0.0.1:1"])

    done = run.invoke(app, ["check"])

    assert done.exit_code == 1
    assert re.search(r"failed +Provider Nowhere: .+", done.output)


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
