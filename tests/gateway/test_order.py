"""In which order models are asked: pure decisions, looked at with many inputs."""

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalog.candidates import Candidate
from app.catalog.opening import Target
from app.gateway.circuit import FIRST_REST, LONGEST_REST, Circuit, Circuits
from app.gateway.routing import in_order, kept_in_the_house
from app.providers.errors import ContextTooLong, KeyRejected, Overloaded, ProviderError, RateLimited

candidates = st.lists(
    st.builds(
        Candidate,
        st.text("abc", min_size=1, max_size=3),
        is_local=st.booleans(),
        weight=st.integers(1, 1000),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda candidate: candidate.full_name,
)
waits = st.none() | st.floats(0, 10_000)
errors = st.builds(
    lambda kind, wait: kind("", retry_after=wait), st.sampled_from([RateLimited, Overloaded]), waits
)


@settings(deadline=None)
@given(candidates, st.randoms())
def test_nobody_is_lost_or_asked_twice(models: list[Candidate], chance: Random) -> None:
    ordered = in_order(models, chance.random)

    assert sorted(ordered, key=id) == sorted(models, key=id)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.randoms(use_true_random=True))
def test_each_comes_first_as_often_as_its_weight_says(weights: list[int], chance: Random) -> None:
    models = [Candidate(str(number), weight=weight) for number, weight in enumerate(weights)]
    rounds = 2000

    firsts = Counter(in_order(models, chance.random)[0].full_name for _ in range(rounds))

    for model in models:
        assert abs(firsts[model.full_name] / rounds - model.weight / sum(weights)) < 0.07


@settings(deadline=None)
@given(candidates)
def test_nothing_outside_follows_something_local(models: list[Candidate]) -> None:
    kept = kept_in_the_house(models)

    assert kept[0] == models[0]
    assert [model.is_local for model in kept] == sorted(model.is_local for model in kept)
    assert [model for model in models if model.is_local] == [model for model in kept if model.is_local]


@settings(deadline=None)
@given(st.lists(errors, min_size=1, max_size=30))
def test_a_rest_is_never_longer_than_the_longest(failures: list[ProviderError]) -> None:
    circuit, at = Circuit(), 0.0
    for error in failures:
        circuit.fail(error, at)
        assert circuit.ready_at <= at + LONGEST_REST
        at = max(at, circuit.ready_at)
        assert circuit.is_ready(at)


def test_one_overload_is_chance_and_three_are_a_reason_to_rest() -> None:
    circuit = Circuit()
    for _ in range(2):
        circuit.fail(Overloaded(""), 0.0)
        assert circuit.is_ready(0.0)

    circuit.fail(Overloaded(""), 0.0)

    assert not circuit.is_ready(FIRST_REST - 0.1)
    assert circuit.is_ready(FIRST_REST)


def test_after_its_rest_one_call_tries_it_and_a_failure_doubles_the_rest() -> None:
    circuit = Circuit()
    circuit.fail(KeyRejected(""), 0.0)
    circuit.begin()
    assert not circuit.is_ready(FIRST_REST), "somebody is trying it already"

    circuit.fail(Overloaded(""), FIRST_REST)

    assert not circuit.is_ready(3 * FIRST_REST - 0.1)
    assert circuit.is_ready(3 * FIRST_REST)
    circuit.begin()
    circuit.give_up()
    assert circuit.is_ready(3 * FIRST_REST), "who left early has said nothing"
    circuit.succeed()
    assert circuit.is_closed


def test_another_key_begins_anew_and_a_request_at_fault_says_nothing() -> None:
    circuits = Circuits(clock=lambda: 0.0)
    old, new = (Target("c1", "Vendor", "openai", "https://vendor.example", key) for key in ("old", "new"))
    circuits.ended(old, KeyRejected(""), was_heard=False)
    assert not circuits.is_ready(old)

    assert circuits.is_ready(new)
    circuits.ended(new, ContextTooLong(""), was_heard=False)
    assert circuits.is_ready(new)
    assert circuits.rests() == {}
