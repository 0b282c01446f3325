"""The public price list, which comes inside a package: the only module that knows `genai_prices`.

It is large (a quarter of a second and some 15 MB), so it is read when the first model needs it, in a thread:
an installation that has local models only does without.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from app.providers.wire.addresses import is_in_the_house
from app.usage.pricing import FREE, MILLION, Price, PriceSource, Rates, Tier

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TimeOfDateConstraint
    from genai_prices.types import Tier as ListedTier

    Condition = StartDateConstraint | TimeOfDateConstraint

FREE_KINDS = frozenset({"echo", "lmstudio", "ollama"})
"""Kinds whose models run on machines of one's own."""
VENDORS = {"anthropic": "anthropic", "groq": "groq", "openai": "openai"}
"""Kind of connection → the list's name for who is behind it."""
FIELDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_hour": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
}
SERVICES = {"batch": {"processing": "batch"}} | {
    name: {"service_tier": name} for name in ("flex", "priority", "fast")
}
"""How vendors call other ways of serving a call → how the list does."""
MOST_REMEMBERED = 4096


@dataclass(frozen=True)
class Offer:
    """A model where it is offered: what decides its price. `connection` and `model` as the ledger names them."""

    connection: str
    model: str
    kind: str
    base_url: str

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing unless an administrator says so."""
        return self.kind in FREE_KINDS

    @property
    def may_be_listed(self) -> bool:
        """Whether looking into the list makes sense: servers of one's own are not in it.

        They may call their models as they like, and nobody charges the maker's price there.
        """
        return not self.is_free and (self.kind in VENDORS or not is_in_the_house(self.base_url))


async def load() -> None:
    """Read the list, so that whoever asks it next does not wait."""
    await asyncio.to_thread(_providers)


def is_loaded() -> bool:
    return _providers.cache_info().currsize > 0


def listed_price(offer: Offer, at: datetime) -> Price | None:
    """The list price at a moment, or None when the list does not know the model: never a guess, never zero."""
    if offer.is_free:
        return FREE
    if not offer.may_be_listed:
        return None
    periods = _periods(offer.kind, offer.base_url, offer.model, at.date())
    return next((price for begins, price in periods if begins is None or begins.active(at)), None)


@cache
def _providers() -> "Sequence[Provider]":
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot().providers


@lru_cache(MOST_REMEMBERED)
def _periods(
    kind: str, base_url: str, name: str, day: date
) -> "tuple[tuple[Condition | None, Price | None], ...]":
    """When which price holds; the first whose condition is met counts, and the last has none."""
    model = _find(kind, base_url, name)
    if model is None:
        return ()
    services = tuple(_services(model, day))
    if not isinstance(model.prices, list):
        return ((None, _as_price(model.prices, services)),)
    newest_first = [
        (period.constraint, _as_price(period.prices, services)) for period in reversed(model.prices)
    ]
    return (*newest_first, (None, newest_first[-1][1]))


def _services(model: "ModelInfo", day: date) -> Iterator[tuple[str, Price]]:
    """The prices of other ways in which the vendor serves it, as the list has them on a day."""
    at = datetime.combine(day, time.max, UTC)
    for name, context in SERVICES.items():
        is_known = any(
            variant.when == context and (variant.constraint is None or variant.constraint.active(at))
            for variant in model.price_variants or ()
        )
        if is_known and (price := _as_price(model.get_prices(at, context))):
            yield name, price


def _find(kind: str, base_url: str, name: str) -> "ModelInfo | None":
    provider = _provider_at(base_url) or _vendor(kind)
    if provider is None:
        provider = _only_maker_of(name)
    return provider.find_model(name, all_providers=list(_providers())) if provider else None


def _provider_at(base_url: str) -> "Provider | None":
    return next((found for found in _providers() if re.match(found.api_pattern, base_url)), None)


def _vendor(kind: str) -> "Provider | None":
    return next((found for found in _providers() if found.id == VENDORS.get(kind)), None)


def _only_maker_of(name: str) -> "Provider | None":
    """Who makes the model, for a server that the list does not know; None unless the name leaves one answer."""
    makers = [
        found
        for found in _providers()
        if found.model_match is not None and found.model_match.is_match(name) and found.find_model(name)
    ]
    return makers[0] if len(makers) == 1 else None


def _as_price(listed: "ModelPrice", services: tuple[tuple[str, Price], ...] = ()) -> Price | None:
    """None for what is not charged by the token, such as speech."""
    rates = _rates(listed, 0)
    if rates is None:
        return None
    starts = sorted({tier.start for name in FIELDS.values() for tier in _tiers(listed, name)})
    tiers = ((start, _rates(listed, start + 1)) for start in starts)
    return Price(
        rates, PriceSource.LIST, tuple(Tier(start, found) for start, found in tiers if found), services
    )


def _rates(listed: "ModelPrice", input_tokens: int) -> Rates | None:
    found = {name: _rate(listed, field, input_tokens) for name, field in FIELDS.items()}
    if found["input"] is None or found["output"] is None:
        return None
    return Rates(
        input=found["input"],
        output=found["output"],
        cached_input=found["cached_input"],
        cache_write=found["cache_write"],
        cache_write_hour=found["cache_write_hour"],
        reasoning=found["reasoning"],
        request=(_rate(listed, "requests_kcount", 0) or 0) // 1000,
    )


def _rate(listed: "ModelPrice", field: str, input_tokens: int) -> int | None:
    from genai_prices.types import TieredPrices

    value = getattr(listed, field, None)
    if isinstance(value, TieredPrices):
        reached = [tier.price for tier in value.tiers if input_tokens > tier.start]
        value = reached[-1] if reached else value.base
    return None if value is None else round(value * MILLION)


def _tiers(listed: "ModelPrice", field: str) -> "Sequence[ListedTier]":
    from genai_prices.types import TieredPrices

    value = getattr(listed, field, None)
    return value.tiers if isinstance(value, TieredPrices) else ()
