"""Where a provider that was added in the panel may be: on the public internet, or at a server the settings name."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from app.ai.llm.providers.registry import PROVIDERS
from app.core.errors import InvalidInput
from app.core.security.ssrf import OutsideRules, UnsafeAddress
from settings.ai import CLOUD_PROVIDERS, LOCAL_PROVIDERS, AiSettings

__all__ = ["Addresses"]

_PORTS = {"http": 80, "https": 443}
_Origin = tuple[str, str, int | None]


class Addresses:
    """Addresses in our own network come from the settings alone: whoever may add a provider may not look around there.

    `rules` decide about every other address.
    """

    def __init__(self, ai: AiSettings, rules: OutsideRules) -> None:
        self._rules = rules
        configured = (
            PROVIDERS[name].root(ai.providers[name].base_url) for name in ai.providers.keys() & set(LOCAL_PROVIDERS)
        )
        self._local = frozenset(_origins([*ai.local_servers, *configured]))

    def check(self, provider: str, base_url: str | None) -> None:
        """Raise `UnsafeAddress` or `InvalidInput` unless a provider may be called there (None: at its own address)."""
        if base_url is None and provider in CLOUD_PROVIDERS:
            return
        if base_url is None and provider == "compatible":
            raise InvalidInput("an endpoint of one's own needs its address", "base_url")
        address = PROVIDERS[provider].root(base_url)
        if _origin(address) in self._local:
            return
        if base_url is None:
            raise UnsafeAddress(
                f"this installation may not use {address}: an operator can name it in AI_LOCAL_SERVERS", "base_url"
            )
        self._check_outside(provider, base_url)
        if urlsplit(base_url).scheme != "https":
            raise UnsafeAddress(
                "this would send questions and the key unencrypted: write an https:// address", "base_url"
            )

    def _check_outside(self, provider: str, base_url: str) -> None:
        try:
            self._rules.check_url(base_url, field="base_url")
        except UnsafeAddress as error:
            if provider not in LOCAL_PROVIDERS:
                raise
            hint = "a server in your own network can be used once an operator has named it in AI_LOCAL_SERVERS"
            raise UnsafeAddress(f"{error}; {hint}", "base_url") from error

    def is_outside(self, provider: str, base_url: str | None) -> bool:
        """Tell whether the address was written by a user, and so is called only while it is on the internet."""
        return base_url is not None and _origin(PROVIDERS[provider].root(base_url)) not in self._local


def _origins(addresses: Iterable[str]) -> Iterable[_Origin]:
    return (_origin(address) for address in addresses)


def _origin(address: str) -> _Origin:
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ("", "", None)
    host = (parts.hostname or "").lower()
    return (parts.scheme, "127.0.0.1" if host == "localhost" else host, port)
