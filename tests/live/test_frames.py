"""Events arrive as they were sent, or somebody notices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.live.frames import LONGEST_TEXT, Batch, Inbox, Missed, pack

words = st.text(max_size=40)
batches = st.lists(st.tuples(words, st.dictionaries(words, words | st.integers())), min_size=1, max_size=20)


def received(inbox: Inbox, payloads: list[str]) -> Batch:
    return [event for payload in payloads for event in inbox.accept(payload)]


@given(batches)
def test_a_batch_arrives_as_it_was_sent(batch: Batch) -> None:
    assert received(Inbox("me"), pack("other", 0, batch)) == batch


def test_what_is_larger_than_a_payload_arrives_in_pieces() -> None:
    batch: Batch = [("reply:1", {"text": "naïve 世界 🌍 " * 3_000})]
    payloads = pack("other", 7, batch)

    assert len(payloads) > 1
    assert all(len(payload.encode()) < 8_000 for payload in payloads)
    assert all(len(payload.split(" ", 4)[4]) <= LONGEST_TEXT for payload in payloads)
    assert received(Inbox("me"), payloads) == batch


def test_equal_pieces_differ_so_that_the_database_delivers_each() -> None:
    payloads = pack("other", 0, [("reply:1", {"text": "a" * LONGEST_TEXT * 4})])

    assert len(set(payloads)) == len(payloads)


def test_own_payloads_are_ignored() -> None:
    assert received(Inbox("me"), pack("me", 0, [("chat:1", {})])) == []


def test_a_payload_that_comes_twice_counts_once() -> None:
    payloads = pack("other", 0, [("chat:1", {"n": 1})])

    assert received(Inbox("me"), payloads + payloads) == [("chat:1", {"n": 1})]


def test_a_gap_is_noticed_and_what_follows_arrives() -> None:
    inbox = Inbox("me")
    received(inbox, pack("other", 0, [("chat:1", {"n": 1})]))

    with pytest.raises(Missed):
        received(inbox, pack("other", 2, [("chat:1", {"n": 3})]))

    assert received(inbox, pack("other", 3, [("chat:1", {"n": 4})])) == [("chat:1", {"n": 4})]


def test_who_starts_to_listen_in_the_middle_of_a_large_event_notices() -> None:
    first, second, *_ = pack("other", 0, [("reply:1", {"text": "b" * LONGEST_TEXT * 2})])
    assert first != second

    with pytest.raises(Missed):
        Inbox("me").accept(second)


@pytest.mark.parametrize("text", ["[" * 100_000, "[[[],{}]]", '[["chat:1",1]]', "{}}", "7"])
def test_what_others_notify_is_missed_and_what_follows_arrives(text: str) -> None:
    inbox = Inbox("me")

    with pytest.raises(Missed):
        inbox.accept(f"other 0 0 1 {text}")

    assert received(inbox, pack("other", 1, [("chat:1", {"n": 2})])) == [("chat:1", {"n": 2})]
