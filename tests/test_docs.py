"""The documentation says what is true: its commands, links and settings exist, and its examples run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from app.cli import app
from app.core.settings import ROOT
from app.core.settings_reference import described

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#|mailto:)(?P<target>[^)\s#]+)")
COMMAND = re.compile(r"\bparley (?P<words>[a-z]+(?: [a-z][a-z-]*)?)")
ENVIRONMENT_NAME = re.compile(r"`(?P<name>[A-Z]{2,}(?:_[A-Z]+)*)(?:=[^`]*)?`")
RUNNABLE = re.compile(r"^```sh run\n(?P<script>.*?)^```", re.MULTILINE | re.DOTALL)
# Words in capitals that are not settings of Parley.
OTHER_NAMES = {"LISTEN", "NOTIFY", "CI", "INFO", "PARLEY_KEY", "PARLEY_API_KEY", "ANTHROPIC_API_KEY"}


@dataclass(frozen=True)
class Example:
    page: Path
    script: str

    def __str__(self) -> str:
        return f"{self.page.name}: {self.script.splitlines()[0][:40]}"


def examples() -> list[Example]:
    return [Example(page, found["script"]) for page in PAGES for found in RUNNABLE.finditer(page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for found in LINK.finditer(page.read_text()):
        assert (page.parent / found["target"]).exists(), f"{page.name} links to {found['target']}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_named_exists(page: Path) -> None:
    for words in _commands_in(page):
        done = CliRunner().invoke(app, [*words, "--help"])
        assert done.exit_code == 0, f"{page.name}: parley {' '.join(words)}\n{done.output}"


def test_every_command_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()

    assert [name for name in get_command(app).commands if f"| `parley {name}` |" not in readme] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(page: Path) -> None:
    settings = {setting.name for setting in described()}
    named = {found["name"] for found in ENVIRONMENT_NAME.finditer(page.read_text())}

    assert named - settings - OTHER_NAMES == set()


def test_there_are_examples_to_run() -> None:
    assert examples()


@pytest.mark.parametrize("example", examples(), ids=str)
def test_an_example_does_what_it_says(example: Example, tmp_path: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    script = example.script.replace("bin/parley", f"{sys.executable} -m app.cli")

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=kept | {"DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def _commands_in(page: Path) -> Iterator[list[str]]:
    """The commands as far as they are words: `parley users add`; a second word may also be prose."""
    text = "\n".join(re.findall(r"`[^`\n]+`|^bin/parley .*$", page.read_text(), re.MULTILINE))
    for found in COMMAND.finditer(text):
        yield found["words"].split()
