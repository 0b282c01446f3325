"""What people type as the rules of a key."""

from datetime import UTC, datetime, timedelta

import pytest

from app.accounts.key_rules import (
    Rules,
    Scope,
    expiry_from,
    models_from,
    ranges_from,
    rules_from,
    scopes_from,
)
from app.core.errors import Invalid

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_key_without_wishes_may_do_what_is_usual_and_never_administer() -> None:
    rules = rules_from(NOON)

    assert rules == Rules()
    assert rules.scopes == {Scope.CHAT, Scope.EMBEDDINGS, Scope.USAGE}
    assert rules.admits("")


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("", None),
        ("never", None),
        ("30", NOON + timedelta(days=30)),
        ("90d", NOON + timedelta(days=90)),
        ("90 days", NOON + timedelta(days=90)),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_a_key_ends_after_days_or_with_a_day(typed: str, end: datetime | None) -> None:
    assert expiry_from(typed, NOON) == end


@pytest.mark.parametrize(
    "typed", ["0", "4000", "-1", "2026-11-20", "9999-12-31", "soon", "2027-02-30", "9" * 50]
)
def test_an_end_that_makes_no_sense_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        expiry_from(typed, NOON)

    assert refused.value.field == "expires"


@pytest.mark.parametrize(
    ("ranges", "address", "is_inside"),
    [
        (["192.0.2.7"], "192.0.2.7", True),
        (["192.0.2.7"], "192.0.2.8", False),
        (["192.0.2.0/24"], "192.0.2.200", True),
        (["192.0.2.9/24"], "192.0.2.200", True),
        (["192.0.2.0/24"], "::ffff:192.0.2.200", True),
        (["2001:db8::/32"], "2001:db8:1::7", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["192.0.2.0/24", "10.0.0.0/8"], "10.1.2.3", True),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["192.0.2.0/24"], "", False),
        (["192.0.2.0/24"], "testclient", False),
    ],
)
def test_a_key_works_within_its_ranges_only(ranges: list[str], address: str, is_inside: bool) -> None:
    assert Rules(ranges=ranges_from(ranges)).admits(address) is is_inside


@pytest.mark.parametrize("typed", ["192.0.2", "example.org", "192.0.2.0/33", "1.2.3.4/24/8", "\x00"])
def test_what_is_no_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Invalid, match=r"192\.0\.2\.7") as refused:
        ranges_from([typed])

    assert refused.value.field == "ranges"


def test_scopes_are_a_short_list() -> None:
    assert scopes_from([" Chat ", "usage"]) == {Scope.CHAT, Scope.USAGE}
    for names in (["root"], [], [""]):
        with pytest.raises(Invalid) as refused:
            scopes_from(names)
        assert refused.value.field == "scopes"


def test_models_are_kept_as_they_are_named() -> None:
    assert models_from([" openai/gpt-5 ", "fast", "", "fast"]) == {"openai/gpt-5", "fast"}
    for names in (["a" * 301], ["a\nb"], [f"m{number}" for number in range(201)]):
        with pytest.raises(Invalid) as refused:
            models_from(names)
        assert refused.value.field == "models"
