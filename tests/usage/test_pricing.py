"""What tokens cost: the arithmetic, and promises that hold for whatever usage and rates."""

from hypothesis import given
from hypothesis import strategies as st

from app.providers.events import Usage
from app.usage.pricing import (
    FREE,
    Charge,
    Price,
    PriceSource,
    Rates,
    Tier,
    charge,
    highest_cost,
    price_of,
)
from tests.usage.written import cost_by_rates, rates_in

RATE = st.integers(0, 200_000_000)
MAYBE_RATE = st.none() | RATE
TOKENS = st.integers(0, 2_000_000)


def rates() -> st.SearchStrategy[Rates]:
    return st.builds(
        Rates,
        RATE,
        RATE,
        MAYBE_RATE,
        MAYBE_RATE,
        MAYBE_RATE,
        reasoning=MAYBE_RATE,
        request=st.integers(0, 50_000),
    )


@st.composite
def some_price(draw: st.DrawFn) -> Price:
    starts = sorted(draw(st.sets(st.integers(1, 1_000_000), max_size=3)))
    tiers = tuple(Tier(start, draw(rates())) for start in starts)
    return Price(draw(rates()), PriceSource.LIST, tiers)


@st.composite
def some_usage(draw: st.DrawFn) -> Usage:
    """Usage as adapters report it: parts are never more than the whole."""
    fresh, read, minutes, hour, said, thought = (draw(TOKENS) for _ in range(6))
    return Usage(
        fresh + read + minutes + hour,
        said + thought,
        cache_read=read,
        cache_write=minutes + hour,
        reasoning=thought,
        cache_write_hour=hour,
    )


def price(given_rates: Rates, *tiers: Tier) -> Price:
    return Price(given_rates, PriceSource.LIST, tiers)


def test_each_kind_of_token_has_its_rate() -> None:
    every = Rates(3_000_000, 15_000_000, cached_input=300_000, cache_write=3_750_000, reasoning=5_000_000)
    usage = Usage(input=10_000, output=1_000, cache_read=6_000, cache_write=2_000, reasoning=400)

    # 2,000 × 3 + 6,000 × 0.3 + 2,000 × 3.75 + 600 × 15 + 400 × 5 = 26,300 micro-dollars
    assert price_of(usage, price(every)) == 26_300


def test_what_has_no_rate_of_its_own_costs_like_the_rest() -> None:
    usage = Usage(input=10_000, output=1_000, cache_read=6_000, cache_write=2_000, reasoning=400)

    # 10,000 × 3 + 1,000 × 15
    assert price_of(usage, price(Rates(3_000_000, 15_000_000))) == 45_000


def test_the_tier_that_the_input_reaches_holds_for_all_of_it() -> None:
    tiered = price(Rates(1_250_000, 10_000_000), Tier(200_000, Rates(2_500_000, 15_000_000)))

    assert price_of(Usage(200_000, 1_000), tiered) == 200_000 * 1.25 + 1_000 * 10
    assert price_of(Usage(200_001, 1_000), tiered) == 200_001 * 2.5 + 1_000 * 15 + 0.5


def test_half_a_micro_dollar_is_rounded_up() -> None:
    assert price_of(Usage(1, 0), price(Rates(499_999, 0))) == 0
    assert price_of(Usage(1, 0), price(Rates(500_000, 0))) == 1


def test_a_call_that_was_never_answered_costs_nothing() -> None:
    assert price_of(Usage(0, 0), price(Rates(1, 1, request=5_000))) == 0
    assert price_of(Usage(1, 0), price(Rates(0, 0, request=5_000))) == 5_000


def test_without_a_price_the_cost_is_unknown_and_free_is_free() -> None:
    assert charge(Usage(5, 5), None) == Charge(None, PriceSource.NONE, "")
    assert charge(Usage(0, 0), None).micros == 0
    assert charge(Usage(5, 5), FREE) == Charge(0, PriceSource.FREE, "in 0, out 0")


def test_rates_are_written_so_that_people_can_read_them() -> None:
    written = Rates(3_000_000, 15_000_000, cached_input=300_000, cache_write=3_750_000).text

    assert written == "in 3, cached 0.3, write 3.75, out 15"


@given(rates())
def test_rates_that_are_written_down_are_read_back_exactly(given_rates: Rates) -> None:
    read = rates_in(given_rates.text)

    for usage in (Usage(7, 3), Usage(1_000_003, 999, 12, 5, 7), Usage(1_000_003, 999, 12, 9, 7, 4)):
        assert price_of(usage, price(read)) == price_of(usage, price(given_rates))


def test_what_a_cache_keeps_for_an_hour_is_told_with_the_price() -> None:
    known = price(Rates(3_000_000, 15_000_000, cache_write=3_750_000, cache_write_hour=6_000_000))

    charged = charge(Usage(5_000, 10, cache_write=3_000, cache_write_hour=2_000), known)

    # 2,000 × 3 + 1,000 × 3.75 + 2,000 × 6 + 10 × 15
    assert charged == Charge(21_900, PriceSource.LIST, "in 3, write 3.75, out 15, write-1h 6 × 2000")
    assert charge(Usage(5_000, 10, cache_write=3_000), known).rates == "in 3, write 3.75, out 15"


@given(some_usage(), some_price())
def test_what_the_ledger_says_can_be_worked_out_again(usage: Usage, given_price: Price) -> None:
    charged = charge(usage, given_price)

    assert charged.micros == cost_by_rates(usage, charged.rates)


@given(some_usage(), some_price())
def test_no_call_costs_less_than_nothing_nor_more_than_the_highest(usage: Usage, given_price: Price) -> None:
    assert 0 <= price_of(usage, given_price) <= highest_cost(given_price, usage.input, usage.output)


@given(some_usage(), some_price(), TOKENS, TOKENS)
def test_more_room_never_costs_less(usage: Usage, given_price: Price, input_: int, output: int) -> None:
    smaller = highest_cost(given_price, usage.input, usage.output)

    assert highest_cost(given_price, usage.input + input_, usage.output + output) >= smaller


@given(st.lists(some_usage(), max_size=8), rates())
def test_parts_add_up_to_the_whole_but_for_the_rounding_of_each(
    usages: list[Usage], given_rates: Rates
) -> None:
    flat = price(given_rates)
    apart = sum(price_of(usage, flat) for usage in usages)
    names = ("input", "output", "cache_read", "cache_write", "reasoning", "cache_write_hour")
    whole = Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in names})
    fees = given_rates.request * sum(bool(usage.input or usage.output) for usage in usages)
    fee = given_rates.request * bool(whole.input or whole.output)

    assert abs((apart - fees) - (price_of(whole, flat) - fee)) <= len(usages)
