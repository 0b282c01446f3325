"""Which price holds at which moment."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.audit import Act
from app.core.clock import now
from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.usage import prices
from app.usage.models import PriceOverride
from app.usage.price_list import Offer
from app.usage.prices import PriceBook, beginning_of, price_at
from app.usage.pricing import FREE, PriceSource, Rates

OFFER = Offer("ollama", "llama3", "ollama", "http://127.0.0.1:11434")
ACT = Act("command line")
LONG_AGO = now() - timedelta(days=400)


async def set_price(database: Database, rate: int, since: datetime) -> None:
    async with database.writing() as session:
        await prices.set_price(session, OFFER.connection, OFFER.model, Rates(rate, rate), since, ACT)


async def rate_at(database: Database, moment: datetime) -> int | None:
    async with database.reading() as session:
        price = await price_at(session, OFFER, moment)
    assert price is not None
    return None if price == FREE else price.rates.input


async def test_the_newest_price_that_has_begun_counts(database: Database) -> None:
    await set_price(database, 10, LONG_AGO)
    await set_price(database, 30, now() + timedelta(days=1))
    await set_price(database, 20, LONG_AGO + timedelta(days=30))

    assert await rate_at(database, LONG_AGO - timedelta(seconds=1)) is None
    assert await rate_at(database, LONG_AGO) == 10
    assert await rate_at(database, now()) == 20
    assert await rate_at(database, now() + timedelta(days=2)) == 30


async def test_a_price_that_is_taken_away_still_holds_for_its_time(database: Database) -> None:
    await set_price(database, 10, LONG_AGO)
    await set_price(database, 30, now() + timedelta(days=1))

    async with database.writing() as session:
        await prices.remove_price(session, OFFER.connection, OFFER.model, ACT)

    assert await rate_at(database, now() - timedelta(days=1)) == 10
    assert await rate_at(database, now()) is None
    assert await rate_at(database, now() + timedelta(days=2)) is None
    with pytest.raises(NotFound):
        async with database.writing() as session:
            await prices.remove_price(session, OFFER.connection, OFFER.model, ACT)


async def test_a_model_of_the_same_name_elsewhere_keeps_its_own_price(database: Database) -> None:
    await set_price(database, 10, LONG_AGO)
    other = Offer("workshop", OFFER.model, "ollama", "http://10.0.0.2:11434")

    async with database.reading() as session:
        book = await prices.book(session, [OFFER, other])

    at_ours, elsewhere = book.at(OFFER, now()), book.at(other, now())
    assert at_ours is not None
    assert at_ours.source is PriceSource.OVERRIDE
    assert elsewhere == FREE


@given(st.permutations(range(6)), st.integers(-10, 70))
def test_the_order_in_which_prices_were_set_does_not_matter(order: list[int], minutes: int) -> None:
    begins = [LONG_AGO + timedelta(minutes=10 * number) for number in range(6)]
    rows = [
        PriceOverride(connection="ollama", model="llama3", input=n, output=n, effective_from=begins[n])
        for n in order
    ]
    rows.sort(key=lambda row: row.effective_from, reverse=True)
    moment = LONG_AGO + timedelta(minutes=minutes)

    found = PriceBook({("ollama", "llama3"): rows}).at(OFFER, moment)

    expected = [n for n in range(6) if begins[n] <= moment]
    assert found is not None
    assert found.rates.input == (expected[-1] if expected else 0)


def test_a_price_begins_at_once_or_with_a_day_to_come() -> None:
    rome = ZoneInfo("Europe/Rome")
    evening = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

    assert beginning_of(None, rome, evening) == evening
    assert beginning_of(date(2026, 11, 21), rome, evening) == evening, "in Rome it is tomorrow already"
    assert beginning_of(date(2026, 11, 22), rome, evening) == datetime(2026, 11, 21, 23, tzinfo=UTC)
    for over in (date(2026, 11, 20), date(1, 1, 1), date(9999, 12, 31)):
        with pytest.raises(Invalid):
            beginning_of(over, rome, evening)
