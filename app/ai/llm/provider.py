"""The port for model providers: pure functions from a request to bytes and from bytes to a reply.

A provider does no I/O and keeps no state; the router does the calling, the waiting and the remembering. A new provider
is one file in `providers/` and one line in `providers/registry.py`.
"""

import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from app.ai.llm.catalog import Capabilities, capabilities_of
from app.ai.llm.chat import ChatReply, ChatRequest
from settings.env import Secret

__all__ = ["HttpCall", "Provider", "Route", "Target", "make_route"]


class HttpCall(msgspec.Struct, frozen=True):
    """One POST. Header names are lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Target(msgspec.Struct, frozen=True):
    """Where a request goes. `dropped` are parameters that this model was found not to take: they must be left out."""

    base_url: str
    model: str
    api_key: Secret | None
    capabilities: Capabilities
    dropped: frozenset[str] = frozenset()


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider.

    `build` must not fail for any request that fits the capabilities. `parse` gets the body of a 2xx answer and raises
    `CallFailed` when there is no reply in it (kind `malformed`, or what an error object in it says). A provider with
    `answer` needs no network: it is asked instead of called, and never fails.
    `root` turns the configured base URL (None: the provider's own) into the one that `build` appends its path to.
    """

    name: str
    build: Callable[[ChatRequest, Target], HttpCall]
    parse: Callable[[bytes], ChatReply]
    root: Callable[[str | None], str]
    is_local: bool = False
    answer: Callable[[ChatRequest], ChatReply] | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One way to an answer: a provider, a model and a key, with its limits.

    `id` names it in shared state and does not show the key. None for a limit means none is known. `is_outside`: its
    address was set by a user, so that it is called only if it leads to the public internet. `is_spent`: today's
    `daily_limit_usd` is used up.
    """

    id: str
    provider: Provider
    target: Target
    is_enabled: bool = True
    is_outside: bool = False
    is_spent: bool = False
    daily_limit_usd: Decimal | None = None
    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    concurrency: int = 32
    attempt_timeout_seconds: float = 12.0
    connect_timeout_seconds: float = 4.0

    @property
    def model(self) -> str:
        return self.target.model


def make_route(
    provider: Provider,
    model: str,
    *,
    api_key: Secret | None = None,
    base_url: str | None = None,
    requests_per_minute: int | None = None,
    requests_per_day: int | None = None,
    concurrency: int | None = None,
    attempt_timeout_seconds: float | None = None,
    is_enabled: bool = True,
    is_outside: bool = False,
) -> Route:
    """Make a route; what is not given is the default for a local or a cloud provider (reference/llm.md 6.2)."""
    root = provider.root(base_url)
    fingerprint = hashlib.sha256(f"{root} {api_key.reveal() if api_key else ''}".encode()).hexdigest()[:8]
    capabilities = capabilities_of(provider.name, model)
    local_concurrency = 10_000 if provider.answer else 2
    return Route(
        id=f"{provider.name}:{model}:{fingerprint}",
        provider=provider,
        target=Target(root, model, api_key, capabilities),
        is_enabled=is_enabled,
        is_outside=is_outside,
        requests_per_minute=requests_per_minute,
        requests_per_day=requests_per_day,
        concurrency=concurrency or (local_concurrency if provider.is_local else 32),
        attempt_timeout_seconds=attempt_timeout_seconds or (20.0 if provider.is_local else 12.0),
    )
