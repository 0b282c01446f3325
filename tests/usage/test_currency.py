"""Money as people read it."""

import pytest
from fastapi import FastAPI

from app.accounts.audit import Act
from app.core.clock import now
from app.core.database import Database
from app.core.errors import Invalid
from app.usage import exchange_rates
from app.usage.amounts import typed_again
from app.usage.budgets import amount_from
from app.usage.currency import Currency, money, money_rate
from app.usage.models import Unit

EURO = Currency("EUR", 920_000)
OPERATOR = Act("command line")
TODAY = now().date()


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (None, "No price"),
        (0, "$0.00"),
        (3, "<\u00a0$0.0001"),
        (21_300, "$0.0213"),
        (128_400, "$0.1284"),
        (999_970, "$1.00"),
        (12_400_000, "$12.40"),
        (1_204_000_000, "$1,204.00"),
        (-12_400_000, "\u2212$12.40"),
    ],
)
def test_amounts_keep_the_digits_that_matter(micros: int | None, text: str) -> None:
    assert money(micros) == text


def test_estimates_are_marked_and_other_currencies_are_converted() -> None:
    assert money(1_000_000, EURO, is_estimate=True) == "≈\u00a0€0.9200"
    assert money(-3_000_000, Currency("CHF", 800_000)) == "\u2212CHF\u00a02.40"
    assert money(None, EURO, is_estimate=True) == "No price"


@pytest.mark.parametrize("amount", ["0", "50", "45.99", "0.01", "1234.5"])
def test_a_limit_that_is_typed_again_stays_what_it_was(amount: str) -> None:
    micros = amount_from(amount, Unit.USD, EURO)

    assert typed_again(micros, Unit.USD, EURO) == amount
    assert amount_from(typed_again(micros, Unit.USD, EURO), Unit.USD, EURO) == micros


def test_a_limit_in_dollars_is_exact_and_one_in_euros_is_to_the_micro_dollar() -> None:
    assert amount_from("$49.90", Unit.USD) == 49_900_000
    assert amount_from("€46", Unit.USD, EURO) == 50_000_000
    assert amount_from("1", Unit.USD, EURO) == 1_086_957
    assert amount_from("2,000,000", Unit.TOKENS, EURO) == 2_000_000
    with pytest.raises(Invalid):
        amount_from("$46", Unit.USD, EURO)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(3_000_000, "$3"), (150_000, "$0.15"), (75_000, "$0.075"), (600_000, "$0.60"), (0, "$0")],
)
def test_rates_are_short(rate: int, text: str) -> None:
    assert money_rate(rate) == text


@pytest.mark.parametrize(
    ("code", "rate", "field"),
    [
        ("EURO", "1", "code"),
        ("€", "1", "code"),
        ("EUR", "", "rate"),
        ("EUR", "0", "rate"),
        ("EUR", "-2", "rate"),
        ("EUR", "nan", "rate"),
        ("EUR", "Infinity", "rate"),
        ("EUR", "1e12", "rate"),
        ("EUR", "-1e999999", "rate"),
        ("EUR", "0.0000001", "rate"),
    ],
)
async def test_nonsense_is_refused(
    app: FastAPI, database: Database, code: str, rate: str, field: str
) -> None:
    async with database.writing() as session:
        with pytest.raises(Invalid) as refused:
            await exchange_rates.change(
                session, app.state.hub, OPERATOR, code=code, rate=rate, on=TODAY, today=TODAY
            )
    assert refused.value.field == field
