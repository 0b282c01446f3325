from datetime import UTC, datetime

import pytest

from app.providers.errors import KeyRejected, Misaddressed, NotReachable, Overloaded, ProviderError, TimedOut
from app.providers.wire import retrying
from app.providers.wire.retrying import pause_before, retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def real_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.5)


def test_pauses_double_and_are_jittered():
    error = Overloaded("Busy.")

    assert [pause_before(retry, error, lambda: 1.0) for retry in range(3)] == [0.5, 1.0, 2.0]
    assert pause_before(0, error, lambda: 0.0) == 0.25
    assert pause_before(20, error, lambda: 1.0) == 20.0


def test_the_provider_is_taken_at_its_word_unless_it_asks_for_too_long():
    assert pause_before(0, Overloaded("Busy.", retry_after=3.0)) == 3.0
    assert pause_before(0, Overloaded("Busy.", retry_after=120.0)) is None


@pytest.mark.parametrize(
    ("error", "is_retried"),
    [
        (NotReachable("Refused."), True),
        (Misaddressed("No such host."), False),
        (KeyRejected("Rejected."), False),
        (TimedOut("Silence."), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: ProviderError, is_retried: bool):
    assert (pause_before(0, error) is not None) == is_retried


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "2", "retry-after-ms": "150"}, 0.15),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:07 GMT"}, 7.0),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "2678400"}, 2_678_400.0),
        ({"retry-after": "1e308"}, None),
        ({"retry-after-ms": "99999999999999"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"retry-after-ms": "x", "retry-after": "1"}, 1.0),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers, NOW) == seconds
