from datetime import date
from decimal import Decimal

import pytest

from app.ai.llm.catalog import DEFAULTS
from app.ai.llm.chat import Usage
from app.ai.llm.prices import cost_usd, price_list

MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


def test_list_prices_are_for_a_million_tokens() -> None:
    assert cost_usd("gemini", "gemini-2.5-flash-lite", MILLION) == Decimal("0.50")


def test_cached_and_written_tokens_have_their_own_price() -> None:
    usage = Usage(input_tokens=1_000_000, cached_input_tokens=400_000, cache_write_tokens=100_000)
    assert cost_usd("claude", "claude-haiku-4-5", usage) == Decimal("0.5") + Decimal("0.04") + Decimal("0.125")


def test_a_model_is_found_under_its_dated_name_and_never_under_a_similar_one() -> None:
    assert cost_usd("claude", "claude-haiku-4-5-20251001", MILLION) == 6
    assert cost_usd("openai", "gpt-4o-mini-2024-07-18", MILLION) == Decimal("0.75")
    assert cost_usd("openai", "gpt-5.4-mini-turbo", MILLION) is None


def test_an_unknown_model_costs_an_unknown_amount_and_not_nothing() -> None:
    assert cost_usd("openai", "gpt-99", MILLION) is None
    assert cost_usd("compatible", "anything", MILLION) is None


@pytest.mark.parametrize(
    ("provider", "model"),
    [("ollama", "llama3.2:3b"), ("lm_studio", "x"), ("offline", "offline"), ("openrouter", "google/gemma-3:free")],
)
def test_local_and_free_models_cost_nothing(provider: str, model: str) -> None:
    assert cost_usd(provider, model, MILLION) == 0


def test_what_the_provider_says_wins() -> None:
    assert cost_usd("ollama", "x", Usage(input_tokens=9, cost_usd=Decimal("0.1"))) == Decimal("0.1")


def test_prices_are_dated_and_cover_every_paid_default() -> None:
    prices = price_list()
    assert date.fromisoformat(prices.as_of) <= date(2026, 11, 30)
    assert prices.source
    for provider, default in DEFAULTS.items():
        assert cost_usd(provider, default.model, MILLION) is not None
