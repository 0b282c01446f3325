"""Ids are nobody else's."""

import multiprocessing

from app.core.ids import new_id


def test_ids_grow() -> None:
    ids = [new_id() for _ in range(3_000)]

    assert ids == sorted(set(ids))


def test_a_process_that_was_forked_draws_other_ids_than_its_parent() -> None:
    new_id()
    with multiprocessing.get_context("fork").Pool(1) as child:
        theirs = child.apply(new_id)

    # The end, which does not tell the time.
    assert new_id()[-6:] != theirs[-6:]
