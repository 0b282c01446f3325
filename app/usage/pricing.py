"""What tokens cost. Pure: usage and a price in, whole micro-US-dollars out.

A token costs less than a micro-dollar, so rates are integers too: micro-US-dollars per million tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from app.providers.base import Usage

MILLION = 1_000_000
WORDS = {
    "input": "in",
    "cached_input": "cached",
    "cache_write": "write",
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

    `request` is charged for each answered call, in micro-US-dollars.
    """

    input: int
    output: int
    cached_input: int | None = None
    cache_write: int | None = None
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
        return max(self.input, self.cached_input or 0, self.cache_write or 0)

    @cached_property
    def dearest_output(self) -> int:
        """Of a token that is said or thought."""
        return max(self.output, self.reasoning or 0)

    @classmethod
    def parse(cls, text: str) -> "Rates":
        """The rates that were written down as `text`."""
        names = {word: name for name, word in WORDS.items()}
        parts = (part.split(" ") for part in text.split(", "))
        return cls(**{names[word]: int(Decimal(dollars) * MILLION) for word, dollars in parts})


@dataclass(frozen=True)
class Tier:
    """Rates for all tokens of a call whose input is more than `above` tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True)
class Price:
    """What a model costs at a moment. `tiers` are in rising order."""

    rates: Rates
    source: PriceSource
    tiers: tuple[Tier, ...] = ()

    def rates_for(self, input_tokens: int) -> Rates:
        """The rates of a call of this size: vendors charge all of it at the tier that it reaches."""
        reached = [tier.rates for tier in self.tiers if input_tokens > tier.above]
        return reached[-1] if reached else self.rates

    @property
    def is_free(self) -> bool:
        return not any(getattr(rates, field.name) for rates in self._all_rates() for field in fields(rates))

    def _all_rates(self) -> Iterator[Rates]:
        yield self.rates
        yield from (tier.rates for tier in self.tiers)


FREE = Price(Rates(0, 0), PriceSource.FREE)


@dataclass(frozen=True)
class Charge:
    """What a call costs, and by which rates (`Rates.text`). `micros` is None when the model has no price."""

    micros: int | None
    source: PriceSource = PriceSource.NONE
    rates: str = ""


def charge(usage: Usage, price: Price | None) -> Charge:
    """The cost of a call for the ledger: without a price it is unknown; only nothing at all costs nothing."""
    if price is None:
        return Charge(None if usage.input or usage.output else 0)
    return Charge(price_of(usage, price), price.source, price.rates_for(usage.input).text)


def price_of(usage: Usage, price: Price) -> int:
    """Micro-US-dollars for `usage`, rounded once, half up. `input` holds what was cached, `output` what was thought."""
    return _cost(usage, price.rates_for(usage.input))


def cost_by_rates(usage: Usage, rates_text: str) -> int:
    """The same from rates that were written down: what a row of the ledger must say."""
    return _cost(usage, Rates.parse(rates_text))


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
        + usage.cache_write * _either(rates.cache_write, rates.input)
        + said * rates.output
        + usage.reasoning * _either(rates.reasoning, rates.output)
    )
    return _rounded(total) + rates.request


def _rounded(total: int) -> int:
    """Tokens times rates as whole micro-dollars, half up."""
    return (total + MILLION // 2) // MILLION


def _either(rate: int | None, other: int) -> int:
    return other if rate is None else rate
