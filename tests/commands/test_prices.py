"""Prices from the command line, without a running server."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

run = CliRunner()


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "ENCRYPTION_KEYS", "ENCRYPTION_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    parley("providers", "add", "Practice", "--kind", "echo")
    return tmp_path


def parley(*words: str) -> Result:
    return run.invoke(app, list(words))


def test_a_price_is_set_listed_and_removed() -> None:
    rates = ("--input", "0.25", "--output", "2", "--cached", "0.025")
    done = parley("prices", "set", "practice/echo", *rates)
    assert done.exit_code == 0, done.output
    assert "practice/echo: in 0.25, cached 0.025, out 2 (US dollars for a million tokens)." in done.output

    listed = parley("prices", "list").output
    assert "practice/echo\tin 0.25, cached 0.025, out 2\toverride\n" in listed
    assert "practice/echo-fast\tin 0, out 0\tfree\n" in listed

    assert parley("prices", "remove", "practice/echo").exit_code == 0
    assert "practice/echo\tin 0, out 0\tfree\n" in parley("prices", "list").output


def test_a_price_of_a_day_to_come_waits_for_it() -> None:
    parley("prices", "set", "practice/echo", "--input", "1", "--output", "1", "--from", "2099-01-01")

    assert "override" not in parley("prices", "list", "--all").output
    assert parley("prices", "list", "--missing").output == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("set", "practice/nobody", "--input", "1", "--output", "1"), "has no model called “nobody”"),
        (("set", "nowhere/echo", "--input", "1", "--output", "1"), "no connection called “nowhere”"),
        (("set", "practice/echo", "--input", "cheap", "--output", "1"), "such as 0.15"),
        (
            ("set", "practice/echo", "--input", "1", "--output", "1", "--from", "2020-01-01"),
            "begins today",
        ),
        (("remove", "practice/echo"), "has no price of its own"),
    ],
)
def test_mistakes_end_with_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    done = parley("prices", *words)

    assert done.exit_code == 1
    assert sentence in done.output
