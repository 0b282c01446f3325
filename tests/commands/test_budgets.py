"""Budgets from the command line, without a running server."""

import os
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

run = CliRunner()


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "ENCRYPTION_KEYS", "ENCRYPTION_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "fresh"))
    return tmp_path


def parley(*words: str, stdin: str = "") -> Result:
    return run.invoke(app, list(words), input=stdin)


def add(scope: str, limit: str, *more: str) -> Result:
    return parley("budgets", "add", "--scope", scope, "--limit", limit, *more)


def test_budgets_are_added_listed_and_removed() -> None:
    parley(
        "users",
        "add",
        "bob",
        "--email",
        "bob@example.org",
        "--password-stdin",
        stdin="quiet harbour lamps 7\n",
    )
    parley("groups", "add", "Design")

    assert "$50.00 a month for the group Design." in add("group:design", "50").output
    assert "2,000,000 tokens a day for bob." in (
        add("user:bob", "2,000,000", "--unit", "tokens", "--period", "day", "--soft").output
    )
    assert "3 replies at once for each person." in add("user:*", "3", "--unit", "replies").output
    listed = parley("budgets", "list").output.splitlines()
    assert [line.split("\t")[1:] for line in listed] == [
        ["the group Design", "$50.00 a month", "hard", "spent $0.00"],
        ["bob", "2,000,000 tokens a day", "soft", "spent 0 tokens"],
        ["each person", "3 replies at once", "hard", "spent -"],
    ]

    removed = parley("budgets", "remove", listed[0].split("\t")[0])
    assert removed.output == "Removed $50.00 a month.\n"
    assert len(parley("budgets", "list").output.splitlines()) == 2


def test_money_is_typed_in_the_currency_that_people_see() -> None:
    refused = add("workspace", "46", "--unit", "eur")
    assert "usd, tokens, requests or replies" in refused.output, "before there is another currency"
    with sqlite3.connect(next(Path(os.environ["DATA_DIR"]).glob("*.db"))) as database:
        database.execute(
            "INSERT INTO workspace"
            " (id, name, system_prompt, timezone, currency, exchange_rate_micros, created_at)"
            " VALUES (1, '', '', 'UTC', 'EUR', 920000, '2026-01-01 00:00:00.000000')"
        )

    assert "$50.00 a month (€46.00) for" in add("workspace", "€46", "--unit", "eur").output
    assert "$46.00 a week (€42.32) for" in add("workspace", "46", "--unit", "usd", "--period", "week").output
    assert "2 requests a month for" in add("workspace", "2", "--unit", "requests").output
    refused = add("workspace", "1", "--unit", "gbp", "--period", "total")
    assert "usd, eur, tokens, requests or replies" in refused.output
    listed = [line.split("\t")[2:] for line in parley("budgets", "list").output.splitlines()]
    assert listed == [
        ["$50.00 a month (€46.00)", "hard", "spent $0.00 (€0.00)"],
        ["$46.00 a week (€42.32)", "hard", "spent $0.00 (€0.00)"],
        ["2 requests a month", "hard", "spent 0 requests"],
    ]


def test_nonsense_is_refused_with_what_to_do() -> None:
    add("workspace", "50")
    refused = {
        "already": add("workspace", "60"),
        "is for workspace, group:NAME": add("planet:mars", "1"),
        "no group called": add("group:Nobody", "1"),
        "Say for which user": add("user:", "1"),
        "no account called": add("user:nobody", "1"),
        "No key begins": add("key:parley_x", "1"),
        "no model": add("model:a/b", "1"),
        "as a number": add("workspace", "a lot"),
        "between 0 and": add("workspace", "-1"),
        "between 0": add("workspace", "1e999999"),
        "millionth": add("workspace", "0.0000001"),
        "usd, tokens": add("workspace", "1", "--unit", "euros"),
        "day, week": add("workspace", "1", "--period", "year"),
        "requests or tokens": add("workspace", "1", "--period", "minute"),
        "1 and 100": add("workspace", "1", "--period", "day", "--warn", "0"),
        "no such budget": parley("budgets", "remove", "nonsense"),
    }
    for words, result in refused.items():
        assert result.exit_code == 1, result.output
        assert words in result.output
        assert "Traceback" not in result.output
