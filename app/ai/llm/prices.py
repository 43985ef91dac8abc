"""What a call cost, from the provider's own words or from dated list prices (`prices.json`)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

import msgspec

from app.ai.llm.chat import Usage

__all__ = ["Price", "PriceList", "cost_usd", "price_list"]

_FREE_PROVIDERS = frozenset({"ollama", "lm_studio", "offline"})
_DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|latest|\d{3})$")
_MILLION = Decimal(1_000_000)


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens. Where a cache price is missing, the input price holds."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None


class PriceList(msgspec.Struct, frozen=True):
    """Prices by provider and model, with the day they were true (ISO date) and where they are from."""

    as_of: str
    source: str
    models: Mapping[str, Mapping[str, Price]]


@lru_cache(maxsize=1)
def price_list() -> PriceList:
    return msgspec.json.decode(files(__package__).joinpath("prices.json").read_bytes(), type=PriceList)


def cost_usd(provider: str, model: str, usage: Usage) -> Decimal | None:
    """Return what the call cost. None means unknown, which is not the same as nothing.

    What the provider itself reports wins. Models on the customer's own machine and `:free` ones cost 0.
    """
    if usage.cost_usd is not None:
        return usage.cost_usd
    if provider in _FREE_PROVIDERS or model.endswith(":free"):
        return Decimal(0)
    price = _price(provider, model)
    if price is None:
        return None
    plain_input = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    cached = price.input if price.cached_input is None else price.cached_input
    written = price.input if price.cache_write is None else price.cache_write
    total = (
        plain_input * price.input
        + usage.cached_input_tokens * cached
        + usage.cache_write_tokens * written
        + usage.output_tokens * price.output
    )
    return total / _MILLION


@lru_cache(maxsize=256)
def _price(provider: str, model: str) -> Price | None:
    """Find `model`, also under its name without a date; never under a merely similar name."""
    models = price_list().models.get(provider, {})
    name = model.removeprefix("models/")
    return models.get(name) or models.get(_DATED.sub("", name))
