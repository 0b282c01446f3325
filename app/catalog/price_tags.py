"""What models cost, for rooms below the one that knows: prices are lent by it, as values."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.access import UsableModel


@dataclass(frozen=True)
class PriceTag:
    """Micro-US-dollars for a million tokens. None: charged like other input.

    Of a model that charges more for long input it is the price of short input.
    """

    input: int
    output: int
    cached_input: int | None = None


PricesOf = Callable[[AsyncSession, Sequence[UsableModel]], Awaitable[Sequence[PriceTag | None]]]
"""What these models cost now, in their order; None for one without a price."""
