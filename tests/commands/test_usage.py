"""What was used, from the command line; a made-up year to try it on; and the proof that the books agree."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.core.clock import now


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATABASE_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


def parley(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def seeded() -> str:
    done = parley("demo", "seed", "--people", "6", "--requests", "800", "--password", "quiet lamps at sea")
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_made_up_year_agrees_with_itself(seeded: str) -> None:
    assert "6 people" in seeded
    assert "Log in as alice with the password quiet lamps at sea" in seeded

    verified = parley("usage", "verify")

    assert verified.exit_code == 0, verified.output
    assert "all sums, all budgets and all messages agree" in verified.stdout


@pytest.mark.usefixtures("seeded")
def test_a_made_up_year_is_kept_like_a_real_one(installation: Path) -> None:
    with sqlite3.connect(installation / "parley.db") as database:
        kept = {moment for (moment,) in database.execute("SELECT at FROM ledger_entries")}
        indexes = {
            name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        }
        chats = dict(database.execute("SELECT chat_id, count(*) FROM messages GROUP BY chat_id"))
        titles = {title for (title,) in database.execute("SELECT title FROM chats")}

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.000000", moment) for moment in kept)
    assert {"ix_ledger_entries_at", "ix_ledger_entries_user_id_at"} <= indexes
    assert max(kept) <= f"{now():%Y-%m-%d %H:%M:%S}.999999", "nothing is from tomorrow"
    assert max(chats.values()) > 4, "conversations go on"
    assert len(titles) > 2


@pytest.mark.usefixtures("seeded")
def test_a_made_up_workspace_has_limits_of_every_kind_in_its_own_currency() -> None:
    listed = parley("budgets", "list").stdout

    for whom in ("the whole workspace", "the group", "Bob", "the model", "the key", "each person"):
        assert whom in listed
    assert "\tsoft\t" in listed
    assert "\thard\t" in listed
    assert "(€" in listed


def test_the_same_workspace_comes_out_each_time(
    seeded: str, installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = parley("usage", "report", "--period", "year", "--by", "people").stdout
    monkeypatch.setenv("DATA_DIR", str(installation / "again"))

    assert parley(
        "demo", "seed", "--people", "6", "--requests", "800", "--password", "quiet lamps at sea"
    ).stdout == (seeded)
    assert parley("usage", "report", "--period", "year", "--by", "people").stdout == table


@pytest.mark.usefixtures("seeded")
def test_what_was_billed_beyond_a_hard_limit_is_told(installation: Path) -> None:
    with sqlite3.connect(installation / "parley.db") as database:
        database.execute(
            "UPDATE ledger_entries SET error_code = 'beyond_limit' WHERE id = "
            "(SELECT min(id) FROM ledger_entries WHERE outcome = 'finished')"
        )

    verified = parley("usage", "verify")

    assert verified.exit_code == 0, "it is what the provider says, and all sums say the same"
    assert ": 1 call for which its provider billed more than a hard limit allowed" in verified.stdout


def test_a_made_up_year_fits_into_postgresql(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)

    done = parley("demo", "seed", "--people", "6", "--requests", "800", "--password", "quiet lamps at sea")

    assert done.exit_code == 0, done.output
    assert parley("usage", "verify").exit_code == 0


@pytest.mark.usefixtures("seeded")
def test_a_demo_never_mixes_with_real_people() -> None:
    again = parley("demo", "seed")

    assert again.exit_code == 1
    assert "There are accounts already" in again.stderr


@pytest.mark.usefixtures("seeded")
def test_a_report_is_a_table_or_everything_as_json() -> None:
    table = parley("usage", "report", "--period", "year", "--by", "groups").stdout
    found = json.loads(parley("usage", "report", "--period", "year", "--format", "json").stdout)
    of_design = json.loads(
        parley("usage", "report", "--period", "year", "--group", "Design", "--format", "json").stdout
    )

    assert table.splitlines()[-1].startswith("In all\t")
    assert "Design\t" in table
    assert 700 < found["total"]["requests"] <= 810
    assert [group["name"] for group in of_design["groups"]] == ["Design"]
    assert len(found["people"]) == 6


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--user", "nobody"], "nobody"),
        (["--group", "Nowhere"], "Nowhere"),
        (["--from", "yesterday"], "Write days like"),
    ],
)
@pytest.mark.usefixtures("seeded")
def test_what_is_not_there_is_told_with_a_sentence(words: list[str], sentence: str) -> None:
    told = parley("usage", "report", *words)

    assert told.exit_code == 1
    assert sentence in told.stderr


@pytest.mark.usefixtures("seeded")
def test_a_wrong_sum_and_a_wrong_message_are_found(installation: Path) -> None:
    with sqlite3.connect(installation / "parley.db") as database:
        database.execute("UPDATE usage_model_sums SET requests = requests + 1 WHERE length(period) = 7")
        changed = (
            "UPDATE messages SET cost_micros = cost_micros + 5, output_tokens = output_tokens + 1"
            " WHERE id = (SELECT max(id) FROM messages WHERE cost_micros > 0)"
        )
        assert database.execute(changed).rowcount == 1

    verified = parley("usage", "verify")

    assert verified.exit_code == 1
    assert "usage_model_sums" in verified.stderr
    assert "cost_micros of its replies is" in verified.stderr
    assert "output_tokens of its replies is" in verified.stderr
    assert "`parley usage rebuild` adds sums and budgets up again. Reports, budgets" in verified.stderr

    assert parley("usage", "rebuild").exit_code == 0
    left = parley("usage", "verify").stderr
    assert "usage_model_sums" not in left
    assert "of its replies is" in left, "what a message says is not the sums' to mend"
    assert "rebuild" not in left
    assert left.splitlines()[-1].startswith(
        "2 differences. Reports, budgets and statements follow the ledger"
    )


def test_before_anybody_there_is_nothing_to_report() -> None:
    assert parley("usage", "report").stdout.splitlines()[-1].startswith("In all\t0 requests")
    assert parley("usage", "verify").exit_code == 0
