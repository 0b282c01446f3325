"""What tokens cost. Pure: usage and a price in, whole micro-US-dollars out.

A token costs less than a micro-dollar, so rates are integers too: micro-US-dollars per million tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from app.providers.events import Usage
from app.values import value

MILLION = 1_000_000
WORDS = {
    "input": "in",
    "cached_input": "cached",
    "cache_write": "write",
    "cache_write_hour": "write-1h",
    "output": "out",
    "reasoning": "reasoning",
    "request": "request",
}
"""What the rates are called where they are written down."""


class PriceSource(StrEnum):
    """Where a price came from; NONE when there is none."""

    NONE = ""
    LIST = "list"
    OVERRIDE = "override"
    FREE = "free"


@dataclass(frozen=True)
class Rates:
    """Micro-US-dollars per million tokens. None: charged like other input, or like other output.

    `cache_write_hour` is for what a cache keeps for an hour; None: charged like what it keeps for minutes.

    `request` is charged for each answered call, in micro-US-dollars.
    """

    input: int
    output: int
    cached_input: int | None = None
    cache_write: int | None = None
    cache_write_hour: int | None = None
    reasoning: int | None = None
    request: int = 0

    @cached_property
    def text(self) -> str:
        """US dollars per million tokens, for the ledger: `in 3, cached 0.3, out 15`."""
        named = ((word, getattr(self, name)) for name, word in WORDS.items())
        said = ((word, rate) for word, rate in named if rate is not None and (rate or word != "request"))
        return ", ".join(f"{word} {in_dollars(rate)}" for word, rate in said)

    @cached_property
    def dearest_input(self) -> int:
        """Of a token that is read, cached or written."""
        return max(self.input, self.cached_input or 0, self.cache_write or 0, self.cache_write_hour or 0)

    @cached_property
    def dearest_output(self) -> int:
        """Of a token that is said or thought."""
        return max(self.output, self.reasoning or 0)


@dataclass(frozen=True)
class Tier:
    """Rates for all tokens of a call whose input is more than `above` tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True)
class Price:
    """What a model costs at a moment. `tiers` are in rising order.

    `services` are other ways in which the vendor serves it at other prices, by its word for them: `flex`.
    """

    rates: Rates
    source: PriceSource
    tiers: tuple[Tier, ...] = ()
    services: tuple[tuple[str, "Price"], ...] = ()

    def served(self, service: str) -> "Price | None":
        """What it costs when it is served like this. None: nobody knows."""
        # An administrator's price is for the model, however it is served.
        if not service or self.source is not PriceSource.LIST:
            return self
        return dict(self.services).get(service)

    def rates_for(self, input_tokens: int) -> Rates:
        """The rates of a call of this size: vendors charge all of it at the tier that it reaches."""
        reached = [tier.rates for tier in self.tiers if input_tokens > tier.above]
        return reached[-1] if reached else self.rates

    @cached_property
    def is_free(self) -> bool:
        return not any(getattr(rates, field.name) for rates in self._all_rates() for field in fields(rates))

    def _all_rates(self) -> Iterator[Rates]:
        yield self.rates
        yield from (tier.rates for tier in self.tiers)


FREE = Price(Rates(0, 0), PriceSource.FREE)


@value
class Charge:
    """What a call costs, and by which rates (`Rates.text`). `micros` is None when the model has no price.

    `is_estimate`: it was served in a way whose price is not known, and is charged like others.
    """

    micros: int | None
    source: PriceSource = PriceSource.NONE
    rates: str = ""
    is_estimate: bool = False


def charge(usage: Usage, price: Price | None) -> Charge:
    """The cost of a call for the ledger: without a price it is unknown; only nothing at all costs nothing."""
    if price is None:
        return Charge(None if usage.input or usage.output else 0)
    found = price.served(usage.service)
    rates = (found or price).rates_for(usage.input)
    return Charge(_cost(usage, rates), price.source, _named(rates, usage), is_estimate=found is None)


def _named(rates: Rates, usage: Usage) -> str:
    """The rates, with how much a cache keeps for an hour: a row of the ledger has no other place for that."""
    if rates.cache_write_hour is None:
        return rates.text
    text = replace(rates, cache_write_hour=None).text
    if not usage.cache_write_hour:
        return text
    return f"{text}, write-1h {in_dollars(rates.cache_write_hour)} × {usage.cache_write_hour}"


def price_of(usage: Usage, price: Price) -> int:
    """Micro-US-dollars for `usage`, rounded once, half up. `input` holds what was cached, `output` what was thought."""
    return _cost(usage, (price.served(usage.service) or price).rates_for(usage.input))


def highest_cost(price: Price, input_tokens: int, output_tokens: int) -> int:
    """The most that a call of up to so many tokens can cost, whatever is cached, written or thought."""
    if not input_tokens and not output_tokens:
        return 0
    possible = [price.rates, *(tier.rates for tier in price.tiers if input_tokens > tier.above)]
    total = input_tokens * max(rates.dearest_input for rates in possible)
    total += output_tokens * max(rates.dearest_output for rates in possible)
    return _rounded(total) + max(rates.request for rates in possible)


def in_dollars(micros: int) -> str:
    """125000 → `0.125`, exactly."""
    return f"{(Decimal(micros) / MILLION).normalize():f}"


def _cost(usage: Usage, rates: Rates) -> int:
    if not usage.input and not usage.output:
        return 0
    fresh = max(0, usage.input - usage.cache_read - usage.cache_write)
    said = max(0, usage.output - usage.reasoning)
    total = (
        fresh * rates.input
        + usage.cache_read * _either(rates.cached_input, rates.input)
        + (usage.cache_write - usage.cache_write_hour) * _either(rates.cache_write, rates.input)
        + usage.cache_write_hour * _either(rates.cache_write_hour, _either(rates.cache_write, rates.input))
        + said * rates.output
        + usage.reasoning * _either(rates.reasoning, rates.output)
    )
    return _rounded(total) + rates.request


def _rounded(total: int) -> int:
    """Tokens times rates as whole micro-dollars, half up."""
    return (total + MILLION // 2) // MILLION


def _either(rate: int | None, other: int) -> int:
    return other if rate is None else rate
