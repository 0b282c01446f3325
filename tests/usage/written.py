"""What a row of the ledger must say: its cost, from the rates that were written down in it."""

from decimal import Decimal

from app.providers.events import Usage
from app.usage.pricing import MILLION, WORDS, Price, PriceSource, Rates, price_of


def rates_in(text: str) -> Rates:
    """`in 3, cached 0.3, out 15`, read again."""
    names = {word: name for name, word in WORDS.items()}
    parts = (part.split(" ")[:2] for part in text.split(", "))
    return Rates(**{names[word]: int(Decimal(dollars) * MILLION) for word, dollars in parts})


def cost_by_rates(usage: Usage, text: str) -> int:
    return price_of(usage, Price(rates_in(text), PriceSource.OVERRIDE))
