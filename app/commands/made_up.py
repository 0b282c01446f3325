"""What a demo workspace uses: models with prices, and calls as people make them. Pure: the same random numbers
make the same calls.

A million calls are made in seconds: what is drawn for each of them comes out of a few thousand that were drawn before.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random
from typing import NamedTuple

from app.core.ids import id_at
from app.providers.events import Usage
from app.usage.models import Outcome
from app.usage.pricing import FREE, MILLION, Price, PriceSource, Rates, price_of

DAYS = 365
WEEKDAYS = (1.0, 1.08, 1.1, 1.05, 0.85, 0.16, 0.12)
VARIETY = 4_096
"""So many different calls there are."""
ENDS_A_CONVERSATION = 0.83
"""Above this another one begins: most have some six questions."""
FINISHED = Outcome.FINISHED.value
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
    def full_name(self) -> str:
        return f"{self.connection}/{self.name}"

    @cached_property
    def price_source(self) -> str:
        return "" if self.price is None else self.price.source.value

    @cached_property
    def price(self) -> Price | None:
        if self.connection == "house":
            return FREE
        if self.dollars is None:
            return None
        given, cached, written = (round(rate * MILLION) for rate in self.dollars)
        source = PriceSource.OVERRIDE if self.is_overridden else PriceSource.LIST
        return Price(Rates(given, written, cached), source)

    @property
    def is_overridden(self) -> bool:
        """Whether an administrator set its price."""
        return self.connection == "groq"

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


FAVOURITES = (
    MadeUpModel("anthropic", "claude-sonnet-4-5", "Claude Sonnet 4.5", (3, 0.3, 15), 0.6, 30),
    MadeUpModel("openai", "gpt-5", "GPT-5", (1.25, 0.125, 10), 0.8, 24),
    MadeUpModel("anthropic", "claude-haiku-4-5", "Claude Haiku 4.5", (1, 0.1, 5), 0.3, 20),
    MadeUpModel("openai", "gpt-5-mini", "GPT-5 mini", (0.25, 0.025, 2), 0.45, 16),
    MadeUpModel("house", "qwen3:32b", "Qwen 3 32B", None, 0.3, 10),
    MadeUpModel("anthropic", "claude-opus-4-1", "Claude Opus 4.1", (15, 1.5, 75), 1.1, 5),
    MadeUpModel("groq", "llama-3.3-70b-versatile", "Llama 3.3 70B", (0.59, 0.59, 0.79), 0.15, 5),
    MadeUpModel("openai", "house-style-tuned", "House style, tuned", None, 0.9, 2),
)
OTHERS = tuple(
    MadeUpModel(connection, name, label, dollars, 0.4, 0.8)
    for connection, name, label, dollars in (
        ("anthropic", "claude-3-5-haiku", "Claude Haiku 3.5", (0.8, 0.08, 4)),
        ("anthropic", "claude-3-7-sonnet", "Claude Sonnet 3.7", (3, 0.3, 15)),
        ("anthropic", "claude-opus-4", "Claude Opus 4", (15, 1.5, 75)),
        ("anthropic", "claude-sonnet-4", "Claude Sonnet 4", (3, 0.3, 15)),
        ("groq", "deepseek-r1-distill-llama-70b", "DeepSeek R1 Distill 70B", (0.75, 0.75, 0.99)),
        ("groq", "gemma2-9b-it", "Gemma 2 9B", (0.2, 0.2, 0.2)),
        ("groq", "gpt-oss-120b", "GPT-OSS 120B", (0.15, 0.15, 0.6)),
        ("groq", "gpt-oss-20b", "GPT-OSS 20B", (0.075, 0.075, 0.3)),
        ("groq", "kimi-k2", "Kimi K2", (1, 0.5, 3)),
        ("groq", "llama-3.1-8b-instant", "Llama 3.1 8B", (0.05, 0.05, 0.08)),
        ("groq", "llama-4-maverick", "Llama 4 Maverick", (0.2, 0.2, 0.6)),
        ("groq", "llama-4-scout", "Llama 4 Scout", (0.11, 0.11, 0.34)),
        ("groq", "mistral-saba-24b", "Mistral Saba 24B", (0.79, 0.79, 0.79)),
        ("groq", "qwen3-32b", "Qwen 3 32B", (0.29, 0.29, 0.59)),
        ("house", "codestral:22b", "Codestral 22B", None),
        ("house", "gemma3:27b", "Gemma 3 27B", None),
        ("house", "granite3:8b", "Granite 3 8B", None),
        ("house", "llama3.3:70b", "Llama 3.3 70B", None),
        ("house", "mistral-small:24b", "Mistral Small 24B", None),
        ("house", "phi4:14b", "Phi 4 14B", None),
        ("house", "qwen2.5-coder:32b", "Qwen 2.5 Coder 32B", None),
        ("house", "qwen3:8b", "Qwen 3 8B", None),
        ("openai", "gpt-4.1", "GPT-4.1", (2, 0.5, 8)),
        ("openai", "gpt-4.1-mini", "GPT-4.1 mini", (0.4, 0.1, 1.6)),
        ("openai", "gpt-4.1-nano", "GPT-4.1 nano", (0.1, 0.025, 0.4)),
        ("openai", "gpt-4o", "GPT-4o", (2.5, 1.25, 10)),
        ("openai", "gpt-4o-mini", "GPT-4o mini", (0.15, 0.075, 0.6)),
        ("openai", "gpt-5-nano", "GPT-5 nano", (0.05, 0.005, 0.4)),
        ("openai", "gpt-5.1", "GPT-5.1", (1.25, 0.125, 10)),
        ("openai", "o3", "o3", (2, 0.5, 8)),
        ("openai", "o3-mini", "o3-mini", (1.1, 0.55, 4.4)),
        ("openai", "o4-mini", "o4-mini", (1.1, 0.275, 4.4)),
    )
)
MODELS = FAVOURITES + OTHERS


@dataclass
class MadeUpPerson:
    """Somebody, the group that pays, the key of theirs if they have one, and the models they like."""

    id: str
    group_id: str
    api_key_id: str | None
    models: tuple[MadeUpModel, ...]
    chat: tuple[str, MadeUpModel] | None = field(default=None, init=False)
    """The conversation that goes on, and with whom. Its id is that of its first call."""


class MadeUpCall(NamedTuple):
    """A line of the ledger; the names are those of its columns."""

    at: datetime
    id: str
    day: str
    user_id: str
    group_id: str
    api_key_id: str | None
    connection: str
    model: str
    origin: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    reasoning_tokens: int
    is_estimate: bool
    outcome: str
    error_code: str
    first_token_ms: int
    total_ms: int
    cost_micros: int | None
    price_source: str
    price: str
    cache_write_tokens: int
    correction_of: str | None
    attempts: int


NO_CORRECTION = (0, None, 1)
"""The last columns of every call."""


def liked_models(chance: Random) -> tuple[MadeUpModel, ...]:
    """One to four models, the more liked ones more often."""
    return tuple(chance.choices(MODELS, [model.weight for model in MODELS], k=chance.randint(1, 4)))


def calls_by_day(
    people: Sequence[MadeUpPerson], requests: int, today: date, chance: Random
) -> Iterator[tuple[date, list[MadeUpCall]]]:
    """The calls of each day of a year, the oldest day first; about `requests` of them."""
    dates = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    shares = [_share(day, number, chance) for number, day in enumerate(dates)]
    activity = [1 / (rank + 1) ** HEAVY_TAIL + 0.02 for rank in range(len(people))]
    drawn = _Drawn(chance)
    for day, share in zip(dates, shares, strict=True):
        count = round(requests * share / sum(shares))
        callers = chance.choices(people, activity, k=count)
        yield day, list(drawn.calls(day, callers))


def _share(day: date, number: int, chance: Random) -> float:
    """A year of growth, quiet weekends, and days that differ."""
    return WEEKDAYS[day.weekday()] * (0.45 + 0.55 * number / DAYS) * chance.uniform(0.8, 1.2)


class _Drawn:
    """What calls are like: drawn once, and taken from again and again."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._usages = [_usage(chance) for _ in range(VARIETY)]
        self._seconds = [_second_of_the_day(chance) for _ in range(VARIETY)]
        self._waits = [1000 * math.exp(chance.gauss(0, 0.45)) for _ in range(VARIETY)]
        self._costs: dict[tuple[str, int], int | None] = {}
        self._count = 0

    def calls(self, day: date, callers: Sequence[MadeUpPerson]) -> Iterator[MadeUpCall]:
        """One call for each of these, one after another in the day."""
        midnight, written_day = datetime.combine(day, time(), UTC), day.isoformat()
        begins = int(midnight.timestamp() * 1_000)
        draw, usages, waits = self._chance.random, self._usages, self._waits
        for second, person in zip(
            sorted(self._chance.choices(self._seconds, k=len(callers))), callers, strict=True
        ):
            self._count += 1
            at = midnight + timedelta(seconds=second)
            id_ = id_at(begins + 1_000 * second, self._count)
            origin, model = self._occasion(person, id_)
            number = int(draw() * VARIETY)
            usage = usages[number]
            outcome, error_code = _outcome(draw())
            first_token = int(model.seconds_to_first_token * waits[int(draw() * VARIETY)])
            yield MadeUpCall._make(
                (
                    at,
                    id_,
                    written_day,
                    person.id,
                    person.group_id,
                    person.api_key_id if origin == "api" else None,
                    model.connection,
                    model.name,
                    origin,
                    usage.input,
                    usage.output,
                    usage.cache_read,
                    usage.reasoning,
                    outcome != FINISHED,
                    outcome,
                    error_code,
                    first_token,
                    first_token + usage.output * 12,
                    self._cost(model, number),
                    model.price_source,
                    model.price_text,
                    *NO_CORRECTION,
                )
            )

    def _occasion(self, person: MadeUpPerson, id_: str) -> tuple[str, MadeUpModel]:
        """A script's call, or one more answer in a conversation, old or new."""
        drawn = self._chance.random()
        if person.api_key_id is not None and drawn < 0.35:
            return "api", person.models[0]
        if person.chat is None or drawn > ENDS_A_CONVERSATION:
            person.chat = f"chat:{id_}", self._chance.choice(person.models)
        return person.chat

    def _cost(self, model: MadeUpModel, number: int) -> int | None:
        key = (model.full_name, number)
        if key not in self._costs:
            self._costs[key] = None if model.price is None else price_of(self._usages[number], model.price)
        return self._costs[key]


def _usage(chance: Random) -> Usage:
    given = round(math.exp(chance.gauss(7.6, 1.1)))
    written = round(math.exp(chance.gauss(5.9, 0.8)))
    cached = round(given * chance.choice((0, 0, 0.5, 0.8, 0.9)))
    return Usage(given, written, cache_read=cached, reasoning=written // 3 if chance.random() < 0.3 else 0)


def _outcome(drawn: float) -> tuple[str, str]:
    """And the code of the error, if there was one."""
    if drawn >= 0.02:
        return FINISHED, ""
    return (Outcome.FAILED.value, "overloaded") if drawn < 0.004 else (Outcome.STOPPED.value, "")


def _second_of_the_day(chance: Random) -> int:
    minute = min(1439, max(0, round(chance.gauss(13 * 60, 150))))
    return 60 * minute + chance.randrange(60)
