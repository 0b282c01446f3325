"""The price list: a dozen real models, worked by hand from what their vendors publish, and what is not known."""

from datetime import UTC, datetime

import pytest

from app.providers.base import Usage
from app.usage.price_list import Offer, batch_price, listed_price
from app.usage.pricing import FREE, PriceSource, price_of

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OPENAI = ("openai", "https://api.openai.com/v1")
ANTHROPIC = ("anthropic", "https://api.anthropic.com")
GROQ = ("groq", "https://api.groq.com/openai/v1")
COMPATIBLE = "openai-compatible"
GOOGLE = (COMPATIBLE, "https://generativelanguage.googleapis.com/v1beta/openai")
MISTRAL = (COMPATIBLE, "https://api.mistral.ai/v1")
XAI = (COMPATIBLE, "https://api.x.ai/v1")
PERPLEXITY = (COMPATIBLE, "https://api.perplexity.ai")


def offer(where: tuple[str, str], model: str) -> Offer:
    kind, base_url = where
    return Offer("here", model, kind, base_url)


# Rates in US dollars for a million tokens stand beside each; a token at $1 a million costs one micro-dollar.
@pytest.mark.parametrize(
    ("where", "model", "usage", "micros"),
    [
        # developers.openai.com/api/docs/pricing: GPT-5 in 1.25, cached 0.125, out 10
        # 6,000 × 1.25 + 4,000 × 0.125 + 1,500 × 10
        (OPENAI, "gpt-5", Usage(10_000, 1_500, cache_read=4_000, reasoning=900), 23_000),
        # GPT-4o in 2.50, cached 1.25, out 10: 1,000 × 2.5 + 1,000 × 1.25 + 100 × 10
        (OPENAI, "gpt-4o", Usage(2_000, 100, cache_read=1_000), 4_750),
        # GPT-4o mini in 0.15, out 0.60: 1,000 × 0.15 + 500 × 0.6
        (OPENAI, "gpt-4o-mini", Usage(1_000, 500), 450),
        # GPT-4.1 in 2, out 8: 1,000,000 × 2 + 1,000 × 8
        (OPENAI, "gpt-4.1", Usage(1_000_000, 1_000), 2_008_000),
        # o4-mini in 1.10, out 4.40, reasoning is output: 100 × 1.1 + 1,000 × 4.4
        (OPENAI, "o4-mini", Usage(100, 1_000, reasoning=960), 4_510),
        # platform.claude.com/docs/en/about-claude/pricing: Haiku 4.5 in 1, write 1.25, read 0.10, out 5
        # 100 × 1 + 2,000 × 1.25 + 10,000 × 0.1 + 300 × 5
        (ANTHROPIC, "claude-haiku-4-5", Usage(12_100, 300, cache_read=10_000, cache_write=2_000), 5_100),
        # Opus 4.1 in 15, out 75: 1,000 × 15 + 200 × 75
        (ANTHROPIC, "claude-opus-4-1-20250805", Usage(1_000, 200), 30_000),
        # Opus 4.5 in 5, read 0.50, out 25: 1,000 × 5 + 1,000 × 0.5 + 40 × 25
        (ANTHROPIC, "claude-opus-4-5", Usage(2_000, 40, cache_read=1_000), 6_500),
        # groq.com/pricing: Llama 3.3 70B in 0.59, out 0.79: 1,000 × 0.59 + 1,000 × 0.79
        (GROQ, "llama-3.3-70b-versatile", Usage(1_000, 1_000), 1_380),
        # Llama 3.1 8B in 0.05, out 0.08: 1,000 × 0.05 + 100 × 0.08
        (GROQ, "llama-3.1-8b-instant", Usage(1_000, 100), 58),
        # ai.google.dev/gemini-api/docs/pricing: 2.5 Pro in 1.25, out 10; above 200,000 in 2.50, out 15
        (GOOGLE, "gemini-2.5-pro", Usage(200_000, 1_000), 260_000),
        (GOOGLE, "gemini-2.5-pro", Usage(300_000, 1_000), 765_000),
        # mistral.ai/pricing: Large in 2, out 6: 500 × 2 + 500 × 6
        (MISTRAL, "mistral-large-latest", Usage(500, 500), 4_000),
        # docs.x.ai/docs/models: Grok 4 in 3, cached 0.75, out 15: 100 × 3 + 100 × 0.75 + 10 × 15
        (XAI, "grok-4", Usage(200, 10, cache_read=100), 525),
        # docs.perplexity.ai/getting-started/pricing: Sonar Pro in 3, out 15, and 14 for 1,000 requests
        (PERPLEXITY, "sonar-pro", Usage(1_000, 100), 1_000 * 3 + 100 * 15 + 14_000),
    ],
)
def test_a_real_model_costs_what_its_vendor_says(
    where: tuple[str, str], model: str, usage: Usage, micros: int
) -> None:
    price = listed_price(offer(where, model), AT)

    assert price is not None
    assert price.source is PriceSource.LIST
    assert price_of(usage, price) == micros


def test_a_price_that_changed_is_the_one_of_its_time() -> None:
    # o3 went from 10 and 40 to 2 and 8 on 10 June 2025 (openai.com/api/pricing of those days).
    o3 = offer(OPENAI, "o3")
    before = listed_price(o3, datetime(2025, 6, 9, tzinfo=UTC))
    after = listed_price(o3, datetime(2025, 6, 11, tzinfo=UTC))

    assert before is not None
    assert after is not None
    assert price_of(Usage(1_000, 1_000), before) == 50_000
    assert price_of(Usage(1_000, 1_000), after) == 10_000


def test_calls_that_may_wait_cost_half_where_the_vendor_says_so() -> None:
    # developers.openai.com/api/docs/pricing, Batch: GPT-5 in 0.625, out 5
    batch = batch_price(offer(OPENAI, "gpt-5"), AT)
    unchanged = batch_price(offer(GROQ, "groq/compound"), AT)

    assert batch is not None
    assert price_of(Usage(1_000, 100), batch) == 1_125
    assert unchanged == listed_price(offer(GROQ, "groq/compound"), AT)


@pytest.mark.parametrize("kind", ["echo", "lmstudio", "ollama"])
def test_models_on_machines_of_ones_own_are_free(kind: str) -> None:
    assert listed_price(offer((kind, "http://127.0.0.1:11434"), "llama3.3"), AT) == FREE


@pytest.mark.parametrize(
    ("where", "model"),
    [
        (OPENAI, "a-model-that-nobody-knows"),
        # Charged by the minute, and not by the token.
        (OPENAI, "whisper-1"),
        # A server of one's own calls its models as it likes.
        ((COMPATIBLE, "http://10.0.4.12:8080/v1"), "gpt-4o"),
        ((COMPATIBLE, "http://workshop.local/v1"), "claude-opus-4-1"),
        ((COMPATIBLE, "http://gpu:8000/v1"), "gpt-4o"),
        # Offered by many, at many prices.
        ((COMPATIBLE, "https://llm.example.org/v1"), "llama-3.3-70b"),
        ((COMPATIBLE, "not an address"), "gpt-4o"),
    ],
)
def test_what_is_not_known_has_no_price(where: tuple[str, str], model: str) -> None:
    assert listed_price(offer(where, model), AT) is None


def test_a_proxy_of_one_maker_s_model_has_the_maker_s_price() -> None:
    proxied = listed_price(offer((COMPATIBLE, "https://llm.example.org/v1"), "gpt-4o"), AT)

    assert proxied == listed_price(offer(OPENAI, "gpt-4o"), AT)
