"""Keys from the command line, with everything that governs them."""

import pytest

from tests.commands.test_users import add, installation, parley  # noqa: F401  (a fixture that all stories use)


@pytest.fixture(autouse=True)
def alice(installation: object) -> None:  # noqa: F811
    add("alice", "--admin")


def test_a_key_is_made_with_its_rules() -> None:
    made = parley(
        *("keys", "add", "--user", "alice", "--name", "Backup", "--expires", "2030-01-31"),
        *("--scope", "chat", "--scope", "admin", "--model", "echo/echo", "--model", "fast"),
        *("--range", "192.0.2.0/24", "--limit", "20", "--store"),
    )

    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("parley_")
    assert (
        "chat, admin; 2 models; from 192.0.2.0/24; until 2030-02-01; stores calls"
        in parley("keys", "list", "--user", "alice").stdout
    )
    assert "the key parley_" in parley("budgets", "list").stdout


def test_a_program_gets_an_account_with_its_first_key() -> None:
    first = parley("keys", "add", "--service", "Nightly evaluation")
    second = parley("keys", "add", "--service", "nightly-evaluation", "--name", "Second")

    listed = parley("keys", "list", "--service", "nightly evaluation").stdout.splitlines()
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [line.split("\t")[2] for line in listed] == ["Second", "Command line"]
    assert "nightly" not in parley("users", "list").stdout

    key_id = listed[0].split("\t")[0]
    assert parley("keys", "revoke", key_id, "--service", "nightly-evaluation").exit_code == 0
    assert len(parley("keys", "list", "--service", "nightly-evaluation").stdout.splitlines()) == 1


def test_a_keys_calls_are_stored_from_now_on_or_no_more() -> None:
    parley("keys", "add", "--user", "alice", "--name", "Editor")
    key_id = parley("keys", "list", "--user", "alice").stdout.split("\t")[0]

    changed = parley("keys", "change", key_id, "--user", "alice", "--store")
    assert changed.stdout.startswith("Changed Editor (parley_")
    assert "stores calls" in parley("keys", "list", "--user", "alice").stdout

    parley("keys", "change", key_id, "--user", "alice", "--no-store", "--name", "Script")
    listed = parley("keys", "list", "--user", "alice").stdout
    assert ("Script" in listed, "stores calls" in listed) == (True, False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add"], "Say whose key it is"),
        (["add", "--user", "alice", "--service", "Cron"], "Say whose key it is"),
        (["change", "some-id", "--user", "alice"], "Say what is to change"),
        (["list", "--service", "Cron"], "no service account called “Cron”"),
        (["add", "--user", "alice", "--scope", "root"], "There is no scope “root”"),
        (["add", "--service", "Cron", "--scope", "admin"], "Only keys of administrators"),
        (["add", "--service", "Cron", "--store"], "nobody could read them"),
        (["add", "--user", "alice", "--range", "home"], "is no address"),
        (["add", "--user", "alice", "--expires", "soon"], "in how many days"),
        (["add", "--user", "alice", "--limit", "much"], "Write the limit as a number"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(words: list[str], sentence: str) -> None:
    result = parley("keys", *words)

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output
