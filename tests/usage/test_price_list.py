"""The price list: a dozen real models, worked by hand from the rates that it holds, and what is not known.

The rates are those of genai-prices 0.2.3 for 20 November 2026, and `page` is where that list says the vendor
publishes them. Both are compared with the list itself, so that no figure here is anybody's memory.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from genai_prices.data_snapshot import get_snapshot

from app.providers.anthropic_answers import MessageReader
from app.providers.events import Usage, UsageReport
from app.providers.openai_answers import report_in
from app.providers.openai_responses import ResponseReader
from app.providers.wire import Wire
from app.usage.price_list import Offer, listed_price
from app.usage.pricing import FREE, PriceSource, charge, highest_cost, price_of
from tests.providers.reading import endpoint
from tests.usage.written import cost_by_rates

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
COMPATIBLE = "openai-compatible"


@dataclass(frozen=True)
class Vendor:
    """`name` is the list's; `kind` and `base_url` those of a connection to it."""

    name: str
    page: str
    kind: str
    base_url: str


OPENAI = Vendor(
    "openai", "https://developers.openai.com/api/docs/pricing", "openai", "https://api.openai.com/v1"
)
ANTHROPIC = Vendor(
    "anthropic", "https://www.anthropic.com/pricing#api", "anthropic", "https://api.anthropic.com"
)
GROQ = Vendor("groq", "https://console.groq.com/docs/models", "groq", "https://api.groq.com/openai/v1")
GOOGLE = Vendor(
    "google",
    "https://ai.google.dev/gemini-api/docs/pricing",
    COMPATIBLE,
    "https://generativelanguage.googleapis.com/v1beta/openai",
)
MISTRAL = Vendor("mistral", "https://mistral.ai/pricing/api", COMPATIBLE, "https://api.mistral.ai/v1")
XAI = Vendor("x-ai", "https://docs.x.ai/docs/models", COMPATIBLE, "https://api.x.ai/v1")
DEEPSEEK = Vendor(
    "deepseek",
    "https://api-docs.deepseek.com/quick_start/pricing",
    COMPATIBLE,
    "https://api.deepseek.com/v1",
)
PERPLEXITY = Vendor(
    "perplexity",
    "https://docs.perplexity.ai/docs/getting-started/pricing",
    COMPATIBLE,
    "https://api.perplexity.ai",
)


def offer(where: Vendor, model: str) -> Offer:
    return Offer("here", model, where.kind, where.base_url)


def server(base_url: str) -> Vendor:
    """Somebody's server that speaks the OpenAI protocol."""
    return Vendor("", "", COMPATIBLE, base_url)


@dataclass(frozen=True)
class Worked:
    """A call, the rates for a million tokens as the list writes them, and its cost in micro-dollars.

    A token at $1 a million costs one micro-dollar, so the sums can be followed in the head.
    """

    where: Vendor
    model: str
    rates: str
    usage: Usage
    micros: int


WORKED = [
    # 6,000 × 1.25 + 4,000 × 0.125 + 1,500 × 10: reasoning is output
    Worked(
        OPENAI,
        "gpt-5",
        "in 1.25, cached 0.125, out 10",
        Usage(10_000, 1_500, cache_read=4_000, reasoning=900),
        7_500 + 500 + 15_000,
    ),
    # 1,000 × 2.5 + 1,000 × 1.25 + 100 × 10
    Worked(
        OPENAI,
        "gpt-4o",
        "in 2.5, cached 1.25, out 10",
        Usage(2_000, 100, cache_read=1_000),
        2_500 + 1_250 + 1_000,
    ),
    # 1,000 × 0.15 + 500 × 0.6
    Worked(OPENAI, "gpt-4o-mini", "in 0.15, cached 0.075, out 0.6", Usage(1_000, 500), 150 + 300),
    # 1,000,000 × 2 + 1,000 × 8
    Worked(OPENAI, "gpt-4.1", "in 2, cached 0.5, out 8", Usage(1_000_000, 1_000), 2_000_000 + 8_000),
    # 100 × 1.1 + 1,000 × 4.4
    Worked(OPENAI, "o4-mini", "in 1.1, cached 0.275, out 4.4", Usage(100, 1_000, reasoning=960), 110 + 4_400),
    # 100 × 1 + 2,000 × 1.25 + 10,000 × 0.1 + 300 × 5
    Worked(
        ANTHROPIC,
        "claude-haiku-4-5",
        "in 1, cached 0.1, write 1.25, write-1h 2, out 5",
        Usage(12_100, 300, cache_read=10_000, cache_write=2_000),
        100 + 2_500 + 1_000 + 1_500,
    ),
    # The same, but 1,500 of what was written to the cache stay for an hour: 500 × 1.25 + 1,500 × 2
    Worked(
        ANTHROPIC,
        "claude-haiku-4-5",
        "in 1, cached 0.1, write 1.25, write-1h 2, out 5",
        Usage(12_100, 300, cache_read=10_000, cache_write=2_000, cache_write_hour=1_500),
        100 + 625 + 3_000 + 1_000 + 1_500,
    ),
    # 1,000 × 3.75 stay for minutes, 2,000 × 6 for an hour; above 200,000 tokens of input all are dearer
    Worked(
        ANTHROPIC,
        "claude-sonnet-4-5",
        "in 6, cached 0.6, write 7.5, write-1h 12, out 22.5",
        Usage(203_000, 100, cache_read=200_000, cache_write=3_000, cache_write_hour=2_000),
        120_000 + 7_500 + 24_000 + 2_250,
    ),
    # 1,000 × 15 + 200 × 75, by the name with its date
    Worked(
        ANTHROPIC,
        "claude-opus-4-1-20250805",
        "in 15, cached 1.5, write 18.75, write-1h 30, out 75",
        Usage(1_000, 200),
        15_000 + 15_000,
    ),
    # 1,000 × 5 + 1,000 × 0.5 + 40 × 25
    Worked(
        ANTHROPIC,
        "claude-opus-4-5",
        "in 5, cached 0.5, write 6.25, write-1h 10, out 25",
        Usage(2_000, 40, cache_read=1_000),
        5_000 + 500 + 1_000,
    ),
    # 1,000 × 0.59 + 1,000 × 0.79
    Worked(GROQ, "llama-3.3-70b-versatile", "in 0.59, out 0.79", Usage(1_000, 1_000), 590 + 790),
    # 1,000 × 0.05 + 100 × 0.08
    Worked(GROQ, "llama-3.1-8b-instant", "in 0.05, out 0.08", Usage(1_000, 100), 50 + 8),
    # 200,000 is not above 200,000: 200,000 × 1.25 + 1,000 × 10
    Worked(
        GOOGLE,
        "gemini-2.5-pro",
        "in 1.25, cached 0.125, out 10",
        Usage(200_000, 1_000),
        250_000 + 10_000,
    ),
    # 300,000 is, with all of its tokens: 300,000 × 2.5 + 1,000 × 15
    Worked(
        GOOGLE,
        "gemini-2.5-pro",
        "in 2.5, cached 0.25, out 15",
        Usage(300_000, 1_000),
        750_000 + 15_000,
    ),
    # 1,000 × 0.3 + 4,000 × 0.03 + 200 × 2.5
    Worked(
        GOOGLE,
        "gemini-2.5-flash",
        "in 0.3, cached 0.03, out 2.5",
        Usage(5_000, 200, cache_read=4_000),
        300 + 120 + 500,
    ),
    # 500 × 2 + 500 × 6
    Worked(MISTRAL, "mistral-large-latest", "in 2, out 6", Usage(500, 500), 1_000 + 3_000),
    # 100 × 3 + 100 × 0.75 + 10 × 15
    Worked(XAI, "grok-4", "in 3, cached 0.75, out 15", Usage(200, 10, cache_read=100), 300 + 75 + 150),
    # 900 × 0.27 + 100 × 0.07 + 1,000 × 1.1
    Worked(
        DEEPSEEK,
        "deepseek-chat",
        "in 0.27, cached 0.07, out 1.1",
        Usage(1_000, 1_000, cache_read=100),
        243 + 7 + 1_100,
    ),
    # 1,000 × 3 + 100 × 15, and $14 for a thousand requests
    Worked(
        PERPLEXITY,
        "sonar-pro",
        "in 3, out 15, request 0.014",
        Usage(1_000, 100),
        3_000 + 1_500 + 14_000,
    ),
]


@pytest.mark.parametrize(
    "case", WORKED, ids=lambda case: f"{case.model} of {case.usage.input}, {case.usage.cache_write_hour}"
)
def test_a_real_model_costs_what_its_vendor_says(case: Worked) -> None:
    price = listed_price(offer(case.where, case.model), AT)

    assert price is not None
    assert price.source is PriceSource.LIST
    assert price.rates_for(case.usage.input).text == case.rates
    assert price_of(case.usage, price) == case.micros


def test_the_list_names_the_pages_that_are_named_here() -> None:
    published = {vendor.id: vendor.pricing_urls for vendor in get_snapshot().providers}

    for case in WORKED:
        assert case.where.page in (published[case.where.name] or []), case.where.name


def test_a_price_that_changed_is_the_one_of_its_time() -> None:
    # The list: o3 in 10, out 40, and from 10 June 2025 on in 2, out 8.
    o3 = offer(OPENAI, "o3")
    before = listed_price(o3, datetime(2025, 6, 9, tzinfo=UTC))
    after = listed_price(o3, datetime(2025, 6, 11, tzinfo=UTC))

    assert before is not None
    assert after is not None
    assert price_of(Usage(1_000, 1_000), before) == 50_000
    assert price_of(Usage(1_000, 1_000), after) == 10_000


def test_calls_that_may_wait_cost_half_where_the_vendor_says_so() -> None:
    # The list, batch: GPT-5 in 0.625, out 5, "verified on 2026-10-14 at developers.openai.com/api/docs/pricing".
    known = listed_price(offer(OPENAI, "gpt-5"), AT)

    assert known is not None
    assert price_of(Usage(1_000, 100, service="batch"), known) == 1_125
    assert price_of(Usage(1_000, 100), known) == 2_250


@pytest.mark.parametrize(
    ("told", "rates"),
    [
        ("default", "in 1.25, cached 0.125, out 10"),
        ("flex", "in 0.625, cached 0.0625, out 5"),
        ("priority", "in 2.5, cached 0.25, out 20"),
    ],
)
def test_a_call_is_charged_as_the_vendor_says_that_it_was_served(told: str, rates: str) -> None:
    chunk = {"choices": [], "service_tier": told, "usage": {"prompt_tokens": 1_000, "completion_tokens": 100}}
    report = report_in(chunk)
    assert report is not None
    assert report.usage is not None

    charged = charge(report.usage, listed_price(offer(OPENAI, "gpt-5"), AT))

    assert (charged.rates, charged.is_estimate) == (rates, False)
    assert charged.micros == cost_by_rates(report.usage, rates)


def test_a_response_tells_how_it_was_served_as_well() -> None:
    response = {"service_tier": "flex", "usage": {"input_tokens": 1_000, "output_tokens": 100}}
    reader = ResponseReader(Wire(endpoint("https://openai.example"), "OpenAI", "https://openai.example", {}))

    events = list(reader.read({"type": "response.completed", "response": response}))

    assert events == [UsageReport(Usage(1_000, 100, service="flex"))]


def test_a_way_of_serving_without_a_known_price_is_charged_like_others_and_marked() -> None:
    usage = Usage(1_000, 100, service="scale")
    price = listed_price(offer(OPENAI, "gpt-5"), AT)
    assert price is not None

    assert charge(usage, price) == replace(charge(replace(usage, service=""), price), is_estimate=True)
    set_by_hand = replace(price, source=PriceSource.OVERRIDE)
    assert not charge(usage, set_by_hand).is_estimate, "an administrator's price is for the model"


def test_anthropic_says_how_long_its_cache_keeps_what_was_written() -> None:
    told = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "service_tier": "batch",
    }
    events = list(MessageReader().read({"type": "message_start", "message": {"usage": told}}))

    assert events == [UsageReport(Usage(310, 5, cache_write=300, cache_write_hour=200, service="batch"))]


def test_what_a_cache_keeps_for_an_hour_is_paid_for_beforehand() -> None:
    price = listed_price(offer(ANTHROPIC, "claude-haiku-4-5"), AT)
    assert price is not None

    assert highest_cost(price, 1_000, 0) == price_of(
        Usage(1_000, 0, cache_write=1_000, cache_write_hour=1_000), price
    )


@pytest.mark.parametrize("kind", ["echo", "lmstudio", "ollama"])
def test_models_on_machines_of_ones_own_are_free(kind: str) -> None:
    assert listed_price(Offer("here", "llama3.3", kind, "http://127.0.0.1:11434"), AT) == FREE


@pytest.mark.parametrize(
    ("where", "model"),
    [
        (OPENAI, "a-model-that-nobody-knows"),
        # Charged by the minute, and not by the token.
        (OPENAI, "whisper-1"),
        # A server of one's own calls its models as it likes.
        (server("http://10.0.4.12:8080/v1"), "gpt-4o"),
        (server("http://workshop.local/v1"), "claude-opus-4-1"),
        (server("http://gpu:8000/v1"), "gpt-4o"),
        (server("http://gpu.localhost:8000/v1"), "gpt-4o"),
        (server("http://100.64.1.2:8000/v1"), "gpt-4o"),
        # Offered by many, at many prices.
        (server("https://llm.example.org/v1"), "llama-3.3-70b"),
        (server("not an address"), "gpt-4o"),
    ],
)
def test_what_is_not_known_has_no_price(where: Vendor, model: str) -> None:
    assert listed_price(offer(where, model), AT) is None


def test_a_proxy_of_one_maker_s_model_has_the_maker_s_price() -> None:
    proxied = listed_price(offer(server("https://llm.example.org/v1"), "gpt-4o"), AT)

    assert proxied == listed_price(offer(OPENAI, "gpt-4o"), AT)
