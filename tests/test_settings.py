"""The settings, their example file and their documentation say the same."""

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.core.settings import ROOT, Settings
from app.core.settings_reference import described, env_example, markdown_table

REGENERATE = "Write it again: bin/parley settings --format {format} > {file}"


def test_the_example_file_is_the_code() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(), REGENERATE.format(
        format="env", file=".env.example"
    )


def test_the_documented_table_is_the_code() -> None:
    assert markdown_table() in (ROOT / "docs" / "settings.md").read_text(), REGENERATE.format(
        format="markdown", file="docs/settings.md"
    )


def test_every_setting_is_described_in_one_line() -> None:
    for setting in described():
        assert re.fullmatch(r"[A-Z].*\.", setting.description), setting.name


def test_the_example_file_with_every_line_uncommented_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^# ([A-Z_]+=)", r"\1", env_example(), flags=re.MULTILINE))

    assert Settings(_env_file=file) == Settings(_env_file=None)


def test_nonsense_in_a_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PORT", "eight thousand")

    with pytest.raises(ValidationError, match="port"):
        Settings(_env_file=None)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://parley@db/parley", "postgresql+psycopg://parley@db/parley"),
        ("postgresql://parley@db/parley", "postgresql+psycopg://parley@db/parley"),
        ("sqlite:////srv/parley.db", "sqlite+aiosqlite:////srv/parley.db"),
    ],
)
def test_database_addresses_are_taken_as_people_write_them(given: str, used: str) -> None:
    assert Settings(_env_file=None, database_url=given).resolved_database_url == used
