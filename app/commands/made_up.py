"""What a demo workspace is made of: names, models with prices, and calls as people make them. Pure: the same
random numbers make the same workspace."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random

from app.providers.base import Usage
from app.usage.ledger import Entry
from app.usage.models import Outcome
from app.usage.pricing import FREE, MILLION, Price, PriceSource, Rates, price_of

DAYS = 365
FIRST_NAMES = (
    "Alice Bob Charlie Dina Emil Fatima Goran Hana Ines Jonas Katya Liam Mei Nadia Oskar Priya Quentin Rosa "
    "Samir Tove Uma Viktor Wanda Xenia Yusuf Zoe"
).split()
LAST_NAMES = (
    "Marchetti Okafor Larsen Ivanova Said Navarro Kowalski Brandt Tanaka Duarte Novak Hughes Lindgren Costa Rao "
    "Fischer Moreau Sato Haddad Berg"
).split()
GROUPS = ("Design", "Research", "Engineering", "Support", "Sales", "Marketing", "Finance", "Legal")
TITLES = (
    "Notes for the offsite",
    "Why the build is slow",
    "Letter to the landlord",
    "Names for the new release",
    "Reading the quarterly numbers",
    "A query that counts twice",
    "Questions for interviews",
    "Plan for the migration",
    "Summary of the customer calls",
    "Tests for the importer",
)
QUESTION = "What do you make of point {number}? Last week's figures look **odd** to me."
ANSWER = (
    "They do. The total counts returns twice, and Monday is missing; with both mended it ends at {number}."
)
WEEKDAYS = (1.0, 1.08, 1.1, 1.05, 0.85, 0.16, 0.12)
HEAVY_TAIL = 0.9
"""How unevenly people use models: the tenth person asks about an eighth as often as the first."""


@dataclass(frozen=True)
class MadeUpModel:
    """A model, its price in US dollars per million tokens (none: it is unknown), and how quick it is."""

    connection: str
    name: str
    label: str
    dollars: tuple[float, float, float] | None
    """Input, cached input, output."""
    seconds_to_first_token: float
    weight: float

    @cached_property
    def price(self) -> Price | None:
        if self.connection == "house":
            return FREE
        if self.dollars is None:
            return None
        given, cached, written = (round(rate * MILLION) for rate in self.dollars)
        return Price(Rates(given, written, cached), PriceSource.LIST)

    @cached_property
    def price_text(self) -> str:
        """As the ledger keeps it."""
        return "" if self.price is None else self.price.rates.text


@dataclass(frozen=True)
class MadeUpConnection:
    name: str
    label: str
    kind: str


CONNECTIONS = (
    MadeUpConnection("anthropic", "Anthropic", "anthropic"),
    MadeUpConnection("openai", "OpenAI", "openai"),
    MadeUpConnection("groq", "Groq", "groq"),
    MadeUpConnection("house", "Workshop machine", "ollama"),
)


def _model(
    connection: str,
    name: str,
    label: str,
    dollars: tuple[float, float, float] | None,
    seconds: float,
    weight: float,
) -> MadeUpModel:
    return MadeUpModel(connection, name, label, dollars, seconds, weight)


FAVOURITES = (
    _model("anthropic", "claude-sonnet-4-5", "Claude Sonnet 4.5", (3, 0.3, 15), 0.6, 30),
    _model("openai", "gpt-5", "GPT-5", (1.25, 0.125, 10), 0.8, 24),
    _model("anthropic", "claude-haiku-4-5", "Claude Haiku 4.5", (1, 0.1, 5), 0.3, 20),
    _model("openai", "gpt-5-mini", "GPT-5 mini", (0.25, 0.025, 2), 0.45, 16),
    _model("house", "qwen3:32b", "Qwen 3 32B", None, 0.3, 10),
    _model("anthropic", "claude-opus-4-1", "Claude Opus 4.1", (15, 1.5, 75), 1.1, 5),
    _model("groq", "llama-3.3-70b-versatile", "Llama 3.3 70B", (0.59, 0.59, 0.79), 0.15, 5),
    _model("openai", "house-style-tuned", "House style, tuned", None, 0.9, 2),
)
OTHERS = tuple(
    _model(
        "groq" if number % 2 else "openai",
        f"variant-{number}",
        f"Variant {number}",
        (0.1 * number, 0.05, 0.4 * number),
        0.4,
        0.8,
    )
    for number in range(1, 33)
)
MODELS = FAVOURITES + OTHERS


@dataclass(frozen=True)
class MadeUpPerson:
    """Somebody, the group that pays, the key of theirs if they have one, and the models they like."""

    id: str
    group_id: str
    api_key_id: str | None
    models: tuple[MadeUpModel, ...]


def name_of(number: int) -> str:
    """Everybody has another name: `Alice Marchetti`, then numbered when names run out."""
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[(number + number // len(FIRST_NAMES)) % len(LAST_NAMES)]
    generation = number // (len(FIRST_NAMES) * len(LAST_NAMES))
    return f"{first} {last}" + (f" {generation + 1}" if generation else "")


def liked_models(chance: Random) -> tuple[MadeUpModel, ...]:
    """One to four models, the more liked ones more often."""
    return tuple(chance.choices(MODELS, [model.weight for model in MODELS], k=chance.randint(1, 4)))


def calls_by_day(
    people: list[MadeUpPerson], requests: int, today: date, chance: Random
) -> Iterator[tuple[date, list[Entry]]]:
    """The calls of each day of a year, the oldest day first; about `requests` of them."""
    dates = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    shares = [_share(day, number, chance) for number, day in enumerate(dates)]
    activity = [1 / (rank + 1) ** HEAVY_TAIL + 0.02 for rank in range(len(people))]
    for day, share in zip(dates, shares, strict=True):
        count = round(requests * share / sum(shares))
        callers = chance.choices(people, activity, k=count)
        yield day, sorted((_call(person, day, chance) for person in callers), key=lambda entry: entry.at)


def _share(day: date, number: int, chance: Random) -> float:
    """A year of growth, quiet weekends, and days that differ."""
    return WEEKDAYS[day.weekday()] * (0.45 + 0.55 * number / DAYS) * chance.uniform(0.8, 1.2)


def _call(person: MadeUpPerson, day: date, chance: Random) -> Entry:
    model = chance.choice(person.models)
    origin, usage = _origin(person, day, chance), _usage(chance)
    outcome = _outcome(chance)
    first_token = round(1000 * model.seconds_to_first_token * math.exp(chance.gauss(0, 0.45)))
    return Entry(
        at=_moment(day, chance),
        user_id=person.id,
        group_id=person.group_id,
        connection=model.connection,
        model=model.name,
        origin=origin,
        api_key_id=person.api_key_id if origin == "api" else None,
        input_tokens=usage.input,
        cache_read_tokens=usage.cache_read,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
        is_estimate=outcome is not Outcome.FINISHED,
        outcome=outcome,
        error_code="overloaded" if outcome is Outcome.FAILED else "",
        first_token_ms=first_token,
        total_ms=first_token + usage.output * 12,
        cost_micros=None if model.price is None else price_of(usage, model.price),
        price_source="" if model.price is None else model.price.source,
        price=model.price_text,
        day=day.isoformat(),
    )


def _usage(chance: Random) -> Usage:
    given = round(math.exp(chance.gauss(7.6, 1.1)))
    written = round(math.exp(chance.gauss(5.9, 0.8)))
    cached = round(given * chance.choice((0, 0, 0.5, 0.8, 0.9)))
    return Usage(given, written, cache_read=cached, reasoning=written // 3 if chance.random() < 0.3 else 0)


def _outcome(chance: Random) -> Outcome:
    drawn = chance.random()
    if drawn < 0.004:
        return Outcome.FAILED
    return Outcome.STOPPED if drawn < 0.02 else Outcome.FINISHED


def _moment(day: date, chance: Random) -> datetime:
    minute = min(1439, max(0, round(chance.gauss(13 * 60, 150))))
    return datetime.combine(day, time(minute // 60, minute % 60, chance.randrange(60)), UTC)


def _origin(person: MadeUpPerson, day: date, chance: Random) -> str:
    """A script's call, a conversation's title, or one of the few conversations of these two days."""
    drawn = chance.random()
    if person.api_key_id is not None and drawn < 0.35:
        return "api"
    if drawn > 0.95:
        return "title"
    return f"chat:{person.id[-6:]}{day.toordinal() // 2:06}{chance.randrange(3)}"
