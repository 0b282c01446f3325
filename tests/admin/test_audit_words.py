"""Everything that is noted in the log has words."""

import re

from app.admin.audit_words import WORDS, doer, done
from app.core.settings import ROOT

CODE = re.compile(
    r'"((?:budget|connection|currency|group|invitation|key|models|price|secrets|service_account|session|user'
    r'|workspace)\.[a-z_]+)"'
)
COLUMNS = {"models.id"}


def test_every_code_has_words() -> None:
    noted = {
        code
        for path in (ROOT / "app").rglob("*.py")
        if path.stem != "audit_words"
        for code in CODE.findall(path.read_text())
    }

    assert len(noted) > 40
    assert sorted(noted - WORDS.keys() - COLUMNS) == [], "give it words in app/admin/audit_words.py"


def test_a_code_of_another_version_is_readable() -> None:
    assert done("thing.turned_round") == "Thing: turned round"
    assert done("odd") == "Odd"


def test_somebody_without_an_account_has_a_name() -> None:
    assert [doer(name) for name in ("", "command line", "bob")] == ["Not logged in", "Command line", "bob"]
