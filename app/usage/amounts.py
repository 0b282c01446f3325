"""Amounts and limits in words. Pure."""

from decimal import ROUND_HALF_UP, Decimal

from app.usage.currency import USD, Currency, money
from app.usage.models import Budget, Period, Unit
from app.usage.pricing import in_dollars

NOUNS = {Unit.TOKENS: "token", Unit.REQUESTS: "request", Unit.REPLIES: "reply"}
PER = {Period.MINUTE: "a minute", Period.DAY: "a day", Period.WEEK: "a week", Period.MONTH: "a month"}
TYPED_STEP = Decimal("0.0001")
"""Of a converted limit: so fine that typing it again changes no dollar cent."""


def in_words(amount: int, unit: str, currency: Currency = USD) -> str:
    """`$50.00`, `2,000,000 tokens`, `1 request`, `3 replies`."""
    if unit == Unit.USD:
        return money(amount, currency)
    noun = NOUNS[Unit(unit)]
    many = "replies" if unit == Unit.REPLIES else f"{noun}s"
    return f"{amount:,} {noun if amount == 1 else many}"


def limit_in_words(budget: Budget, currency: Currency = USD) -> str:
    """`$50.00 a month`, `3 replies at once`, `100,000 tokens in all`."""
    amount = in_words(budget.amount, budget.unit, currency)
    if budget.unit == Unit.REPLIES:
        return f"{amount} at once"
    return f"{amount} {PER.get(Period(budget.period), 'in all')}"


def typed_again(amount: int, unit: str, currency: Currency = USD) -> str:
    """A limit as it is typed into a form: `49.9` of the currency, `2000000` tokens."""
    if unit != Unit.USD:
        return str(amount)
    if currency.rate_micros == USD.rate_micros:
        return in_dollars(amount)
    return f"{currency.converted(amount).quantize(TYPED_STEP, ROUND_HALF_UP).normalize():f}"
