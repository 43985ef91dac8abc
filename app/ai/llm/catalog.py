"""What is known of models, as data (November 2026): each provider's default, and what a model can take.

A model named in the settings wins over the default. Models that are not described here get careful assumptions; what
a provider then refuses is learned at run time (`param` failures) and left out.
"""

import re
from collections.abc import Mapping

import msgspec

__all__ = ["DEFAULTS", "Capabilities", "DefaultModel", "capabilities_of"]


class DefaultModel(msgspec.Struct, frozen=True, kw_only=True):
    """The model used when the settings name none, with the limits that a new free key has."""

    model: str
    requests_per_minute: int | None = None
    requests_per_day: int | None = None


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """`context_tokens` is the whole window: what is asked and what is answered."""

    images: bool = True
    temperature: bool = True
    context_tokens: int = 128_000


# 15 a minute is what the customer was told for this model; the provider's own words correct it (reference/llm.md 1.7).
DEFAULTS: Mapping[str, DefaultModel] = {
    "gemini": DefaultModel(model="gemini-2.5-flash-lite", requests_per_minute=15),
    "openai": DefaultModel(model="gpt-5.4-mini"),
    "claude": DefaultModel(model="claude-haiku-4-5-20251001"),
    "xai": DefaultModel(model="grok-4-1-fast"),
    "openrouter": DefaultModel(model="google/gemini-2.5-flash-lite:free", requests_per_minute=20, requests_per_day=50),
    "ollama": DefaultModel(model="llama3.2:3b"),
    "lm_studio": DefaultModel(model="nemotron-mini-4b-instruct"),
}

# The smallest window among a provider's current models; local servers are started with far less than a model could do.
_CONTEXT_TOKENS: Mapping[str, int] = {
    "gemini": 1_000_000,
    "openai": 128_000,
    "claude": 200_000,
    "xai": 131_072,
    "openrouter": 128_000,
    "compatible": 32_768,
    "ollama": 8_192,
    "lm_studio": 8_192,
}
_UNKNOWN_CONTEXT_TOKENS = 1_000_000
_SELF_HOSTED = frozenset({"ollama", "lm_studio", "compatible"})
_SEES = re.compile(
    r"vision|llava|moondream|[-:_]vl\b|vl[-:_]|qwen.*vl|pixtral|minicpm-v|gemma-?[3-9](?!.*(270m|1b))|gpt-[4-9]|gemini|claude",
    re.IGNORECASE,
)
_BLIND = re.compile(r"grok-(3|code)|gpt-3\.5|o1-mini|o3-mini", re.IGNORECASE)
# OpenAI's reasoning models and Claude from Opus 4.7 on answer 400 to any temperature.
_WITHOUT_SAMPLING = re.compile(
    r"(^|/)(gpt-[5-9]|o\d)|opus-(4-[7-9]|[5-9])|(sonnet|haiku)-[5-9]|fable|mythos", re.IGNORECASE
)


def capabilities_of(provider: str, model: str) -> Capabilities:
    sees = _SEES.search(model) is not None if provider in _SELF_HOSTED else not _BLIND.search(model)
    return Capabilities(
        images=sees,
        temperature=not _WITHOUT_SAMPLING.search(model),
        context_tokens=_CONTEXT_TOKENS.get(provider, _UNKNOWN_CONTEXT_TOKENS),
    )
